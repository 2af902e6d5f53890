import { Button } from '@mantine/core';
import { IconRefresh } from './icons';
import { useOutdated } from './version';

/** The server has another version of this page. What is typed here stays until somebody reloads. */
export function NewVersion() {
  const outdated = useOutdated();
  return (
    <div role="status">
      {outdated && (
        <div className="bar newer">
          <IconRefresh size={16} />
          <span>
            <b>The server has a new version of this page.</b> What you have typed stays here until you reload.
          </span>
          <Button size="xs" variant="default" onClick={() => location.reload()}>
            Reload
          </Button>
        </div>
      )}
    </div>
  );
}
