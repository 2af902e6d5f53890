import { Button, CopyButton, Menu, Modal, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { sessionQuery } from '../api/session';
import { IconLink, IconStar, IconTrash } from './icons';
import { readViews, writeViews, type SavedView } from './views';

/** The address of what is shown, to be copied, and addresses kept under a name, for this person in this browser. */
export function SavedViews({ place }: { place: string }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const owner = queries.getQueryData(sessionQuery.queryKey)?.name ?? '';
  const [views, setViews] = useState(() => readViews(owner, place));
  const [naming, setNaming] = useState<string>();
  const keep = (next: SavedView[]) => {
    writeViews(owner, place, next);
    setViews(next);
  };
  return (
    <>
      <CopyButton value={location.href}>
        {({ copied, copy }) => (
          <Button variant="subtle" size="xs" leftSection={<IconLink size={14} />} onClick={copy} className="copy-view">
            {copied ? 'Copied' : 'Copy link'}
          </Button>
        )}
      </CopyButton>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button variant="subtle" size="xs" leftSection={<IconStar size={14} />}>
            Views
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {views.map((each) => (
            <Menu.Item key={each.name} onClick={() => void navigate({ href: each.address })}>
              {each.name}
            </Menu.Item>
          ))}
          {views.length === 0 && <Menu.Label>No view is saved yet</Menu.Label>}
          <Menu.Divider />
          <Menu.Item leftSection={<IconStar size={14} />} onClick={() => setNaming('')}>
            Save this view…
          </Menu.Item>
          {views.map((each) => (
            <Menu.Item
              key={each.name}
              leftSection={<IconTrash size={14} />}
              onClick={() => keep(views.filter((other) => other !== each))}
            >
              Remove {each.name}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {naming !== undefined && (
        <Modal
          opened
          onClose={() => setNaming(undefined)}
          title="Save this view"
          closeButtonProps={{ 'aria-label': 'Close' }}
        >
          <form
            onSubmit={(event) => {
              event.preventDefault();
              const name = naming.trim();
              if (!name) return;
              const address = location.hash.slice(1) || '/';
              keep([...views.filter((each) => each.name !== name), { name, address }]);
              setNaming(undefined);
            }}
          >
            <TextInput
              label="Name"
              data-autofocus
              value={naming}
              maxLength={60}
              onChange={(event) => setNaming(event.currentTarget.value)}
            />
            <Button type="submit" mt="sm" disabled={!naming.trim()}>
              Save
            </Button>
          </form>
        </Modal>
      )}
    </>
  );
}
