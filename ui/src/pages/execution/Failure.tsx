import { Alert, Button, CopyButton, Group, Stack, Text } from '@mantine/core';
import type { FailureView } from '../../api/types';
import { IconAlert } from '../../app/icons';

/** Why something failed: its first line, and the rest when somebody wants it. */
export function Failure({ failure, onShow }: { failure: FailureView; onShow?: (node: string) => void }) {
  const [first = '', ...rest] = failure.message.split('\n');
  const more = [rest.join('\n').trim(), failure.trace.trim()].filter(Boolean).join('\n\n');
  return (
    <Alert
      color="red"
      variant="outline"
      icon={<IconAlert />}
      title={failure.name && onShow ? `${failure.name}: ${failure.code}` : failure.code}
      className="ex-failure"
    >
      <Stack gap="xs" align="flex-start">
        <Text className="ex-wrap">{first}</Text>
        {more && (
          <details>
            <summary>Trace</summary>
            <pre className="ex-pre" tabIndex={0} aria-label="Trace">
              {more}
            </pre>
          </details>
        )}
        <Group gap="xs">
          {onShow && failure.node && (
            <Button size="compact-sm" variant="default" onClick={() => onShow(failure.node)}>
              Show {failure.name || 'the node'}
            </Button>
          )}
          <CopyButton value={[failure.code, failure.message, failure.trace].filter(Boolean).join('\n')}>
            {({ copied, copy }) => (
              <Button size="compact-sm" variant="default" onClick={copy}>
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
        </Group>
      </Stack>
    </Alert>
  );
}
