/** Printed text: searched, wrapped or not, as wide as the window, and downloaded. Its end stays in view while it grows. */
import { ActionIcon, Button, Group, Modal, TextInput, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useEffect, useMemo, useRef, useState } from 'react';
import { IconDownload, IconFull, IconSearch } from '../../app/icons';
import { download } from './download';
import { linesWith, partsOf, type Line } from './lines';

const NEAR_END = 40;

type Props = { text: string; label: string; file: string };

export function LogView(props: Props) {
  const [isWide, wide] = useDisclosure();
  return (
    <>
      <Shown {...props} widen={wide.open} />
      <Modal
        opened={isWide}
        onClose={wide.close}
        title={props.label}
        fullScreen
        closeButtonProps={{ 'aria-label': 'Close' }}
        classNames={{ body: 'ex-wide-log' }}
      >
        <Shown {...props} />
      </Modal>
    </>
  );
}

function Shown({ text, label, file, widen }: Props & { widen?: () => void }) {
  const [wanted, setWanted] = useState('');
  const [isWrapped, setWrapped] = useState(true);
  const { lines, left, total } = useMemo(() => linesWith(text, wanted), [text, wanted]);
  return (
    <div className="ex-log-view">
      <Group gap={6} wrap="nowrap" mb={4}>
        <TextInput
          size="xs"
          type="search"
          className="ex-log-find"
          aria-label={`Search in ${label.toLowerCase()}`}
          placeholder="Search"
          leftSection={<IconSearch size={13} />}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
        <span className="ex-log-count" role="status">
          {wanted === ''
            ? `${total.toLocaleString()} ${total === 1 ? 'line' : 'lines'}`
            : `${(lines.length + left).toLocaleString()} of ${total.toLocaleString()}`}
        </span>
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          aria-pressed={isWrapped}
          onClick={() => setWrapped(!isWrapped)}
        >
          Wrap
        </Button>
        {widen && (
          <Tooltip label="Full width">
            <ActionIcon size={26} variant="subtle" color="gray" aria-label="Full width" onClick={widen}>
              <IconFull size={14} />
            </ActionIcon>
          </Tooltip>
        )}
        <Tooltip label="Download">
          <ActionIcon
            size={26}
            variant="subtle"
            color="gray"
            aria-label={`Download ${label.toLowerCase()}`}
            onClick={() => download(file, text, 'text/plain')}
          >
            <IconDownload size={14} />
          </ActionIcon>
        </Tooltip>
      </Group>
      {left > 0 && (
        <p className="ex-note">
          The last {lines.length.toLocaleString()} lines; {left.toLocaleString()} before them are in the download.
        </p>
      )}
      <Following lines={lines} wanted={wanted} label={label} isWrapped={isWrapped} />
    </div>
  );
}

/** The end stays in view until somebody scrolls away from it. */
function Following({
  lines,
  wanted,
  label,
  isWrapped,
}: {
  lines: readonly Line[];
  wanted: string;
  label: string;
  isWrapped: boolean;
}) {
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    if (box.current && follows.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  return (
    <pre
      ref={box}
      className={isWrapped ? 'ex-pre ex-log' : 'ex-pre ex-log ex-unwrapped'}
      tabIndex={0}
      aria-label={label}
      onScroll={({ currentTarget: at }) => {
        follows.current = at.scrollHeight - at.scrollTop - at.clientHeight < NEAR_END;
      }}
    >
      {wanted === ''
        ? lines.map((each) => each.text).join('\n')
        : lines.map(({ number, text }) => (
            <span key={number}>
              <span className="ex-line-number">{number} </span>
              {partsOf(text, wanted).map((part, at) => (at % 2 === 1 ? <mark key={at}>{part}</mark> : part))}
              {'\n'}
            </span>
          ))}
    </pre>
  );
}
