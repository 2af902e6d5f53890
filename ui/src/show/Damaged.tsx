import { Alert, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { IconAlert } from '../app/icons';

/** An alert for an execution that cannot be read back, or lacks something. The sentence is the server's and says what to do. */
export function Damaged({ sentence, children }: { sentence: string; children?: ReactNode }) {
  return (
    <Alert
      color="red"
      variant="outline"
      role="alert"
      icon={<IconAlert />}
      title="This execution is damaged"
      className="damaged"
    >
      {sentence}
      {children && (
        <Text size="sm" mt={4}>
          {children}
        </Text>
      )}
    </Alert>
  );
}
