import { ActionIcon, Kbd, Modal, Switch, Table } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useKeys, useSingleKeys } from './keys';

const KEYS: [string, string[]][] = [
  ['Inbox, executions, workflows', ['g i', 'g e', 'g w']],
  ['Move in the inbox', ['j', 'k']],
  ['Open a request', ['Enter']],
  ['Select a request', ['x']],
  ['Search', ['/']],
  ['Approve, reject', ['a', 'r']],
  ['Choose an answer', ['1 to 9']],
  ['Send an answer', ['Ctrl Enter']],
  ['Close', ['Esc']],
];

export function ShortcutHelp() {
  const [opened, { open, close }] = useDisclosure();
  const [on, setOn] = useSingleKeys();
  useKeys({ '?': open });
  return (
    <>
      <ActionIcon variant="subtle" size={32} className="keys" aria-label="Keys" onClick={open}>
        ?
      </ActionIcon>
      <Modal opened={opened} onClose={close} title="Keys" closeButtonProps={{ 'aria-label': 'Close' }}>
        <Table>
          <Table.Tbody>
            {KEYS.map(([what, keys]) => (
              <Table.Tr key={what}>
                <Table.Td>{what}</Table.Td>
                <Table.Td>
                  {keys.map((key) => (
                    <Kbd key={key} mr={6}>
                      {key}
                    </Kbd>
                  ))}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        <Switch
          mt="md"
          label="Single-key shortcuts"
          checked={on}
          onChange={(event) => setOn(event.currentTarget.checked)}
        />
      </Modal>
    </>
  );
}
