/** The server is not there: what somebody is doing is not lost, and nothing was sent. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import { get } from '../api/client';
import { IconRefresh } from '../app/icons';
import { IconPlug } from './icons';

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export function Away({ since }: { since: Date }) {
  const [busy, setBusy] = useState(false);
  const tryNow = () => {
    setBusy(true);
    // Whether it was reached is told to the whole page.
    void get('/api/v1/health')
      .catch(() => undefined)
      .finally(() => setBusy(false));
  };
  return (
    <div className="an-away" role="alert">
      <IconPlug size={20} />
      <span className="an-away-what">
        <b>No connection to the server since {TIME.format(since)}.</b> Nothing was sent. You can keep reading and
        typing; what you type is kept in this browser. It is tried again by itself.
      </span>
      <Button size="xs" variant="default" loading={busy} leftSection={<IconRefresh size={14} />} onClick={tryNow}>
        Try now
      </Button>
    </div>
  );
}
