import { ActionIcon, Modal, Switch } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useKeys, useSingleKeys } from './keys';

const KEYS: [string, [string, string[]][]][] = [
  [
    'Everywhere',
    [
      ['Inbox, executions, workflows', ['g i', 'g e', 'g w']],
      ['Search', ['/']],
      ['These keys', ['?']],
      ['Close, disarm, or clear the selection', ['Esc']],
    ],
  ],
  [
    'Inbox',
    [
      ['Move', ['j', 'k', '↓', '↑']],
      ['Open a question', ['Enter']],
      ['Select, select a range', ['x', 'Shift ↓']],
      ['Look at what is selected, and decide', ['l']],
    ],
  ],
  [
    'Question',
    [
      ['Arm approve, arm reject', ['a', 'r']],
      ['Decide what is armed', ['Enter']],
      ['Comment', ['c']],
      ['Choose an answer', ['1 to 9']],
      ['Send a form', ['Ctrl Enter']],
      ['Previous, next question', ['[', ']']],
      ['After a decision: the next question', ['n']],
    ],
  ],
  [
    'Execution',
    [
      ['Next node that waits', ['w']],
      ['Move along the graph, open a node', ['← ↑ → ↓', 'Enter']],
      ['Larger, smaller, fit', ['+', '-', '0']],
      ['Full screen', ['f']],
    ],
  ],
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
        {KEYS.map(([place, keys]) => (
          <table key={place} className="keylist">
            <caption>{place}</caption>
            <tbody>
              {keys.map(([what, words]) => (
                <tr key={what}>
                  <th scope="row">{what}</th>
                  <td>
                    {words.map((key) => (
                      <kbd key={key} className="kbd">
                        {key}
                      </kbd>
                    ))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        ))}
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
