import { Alert, Button, CopyButton, Group, Stack, Text } from '@mantine/core';
import type { FailureView } from '../../api/types';
import { IconAlert } from '../../app/icons';

/** Of a message: more lines than these are in a box of their own. */
const LINES = 6;

/** Why something failed: the whole message, and the trace when somebody wants it. */
export function Failure({ failure, onShow }: { failure: FailureView; onShow?: (node: string) => void }) {
  const lines = failure.message.trimEnd().split('\n');
  const trace = failure.trace.trim();
  return (
    <Alert
      color="red"
      variant="outline"
      icon={<IconAlert />}
      title={failure.name && onShow ? `${failure.name}: ${failure.code}` : failure.code}
      className="ex-failure"
    >
      <Stack gap={6} align="flex-start">
        {lines.length <= LINES ? (
          <Text className="ex-message" dir="auto">
            {lines.join('\n')}
          </Text>
        ) : (
          <>
            <Text className="ex-message" dir="auto">
              {lines[0]}
            </Text>
            <pre className="ex-pre ex-rest" tabIndex={0} aria-label="Message">
              {lines.slice(1).join('\n')}
            </pre>
          </>
        )}
        {trace && (
          <details>
            <summary>Trace</summary>
            <pre className="ex-pre" tabIndex={0} aria-label="Trace">
              {trace}
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
