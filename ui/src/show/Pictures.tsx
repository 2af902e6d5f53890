/** Images: small ones beside each other, and one as large as there is room, with the others as a strip below it. */
import { ActionIcon, Button, Loader, SegmentedControl, Text, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type KeyboardEvent, type RefObject } from 'react';
import type { JsonObject } from '../api/json';
import { IconChevron, IconDownload } from '../app/icons';
import { blobQuery, download, factsQuery } from './files';
import { said } from './media';
import { bytes, count } from './numbers';
import './pictures.css';

export type Picture = { name: string; file: JsonObject };

/** Pixels beyond the edge of the screen in which small images are loaded ahead. */
const AHEAD = '400px';

export function Pictures({ pictures }: { pictures: readonly Picture[] }) {
  const isAlone = pictures.length === 1;
  const [chosen, setChosen] = useState<number | undefined>(isAlone ? 0 : undefined);
  const grid = useRef<HTMLUListElement>(null);
  const left = useRef<number>(undefined);
  const current = chosen === undefined ? undefined : pictures[chosen];
  useEffect(() => {
    // Back among the small ones, at the one that was large.
    if (chosen === undefined && left.current !== undefined)
      grid.current?.querySelectorAll<HTMLElement>('button')[left.current]?.focus();
    left.current = chosen;
  }, [chosen]);
  if (current === undefined || chosen === undefined)
    return (
      <ul className="pc-grid viewer" ref={grid} aria-label={`${count(pictures.length)} images`}>
        {pictures.map((each, at) => (
          <li key={at}>
            <UnstyledButton aria-label={`Enlarge ${each.name}`} onClick={() => setChosen(at)}>
              <Small picture={each} />
              <span className="pc-name" dir="auto" aria-hidden>
                {each.name}
              </span>
            </UnstyledButton>
          </li>
        ))}
      </ul>
    );
  return (
    <Large pictures={pictures} at={chosen} onGo={setChosen} onBack={isAlone ? undefined : () => setChosen(undefined)} />
  );
}

type LargeProps = {
  pictures: readonly Picture[];
  at: number;
  onGo: (at: number) => void;
  onBack: (() => void) | undefined;
};

type Zoom = 'fit' | 'full';

function Large({ pictures, at, onGo, onBack }: LargeProps) {
  const [zoom, setZoom] = useState<Zoom>('fit');
  const [pixels, setPixels] = useState<string>();
  const view = useRef<HTMLDivElement>(null);
  const picture = pictures[at];
  const { digest = '', name = '' } = picture ? { ...said(picture.file), name: picture.name } : {};
  const { data: found } = useQuery({ ...factsQuery(digest), enabled: digest !== '' });
  useEffect(() => {
    if (onBack) view.current?.focus({ preventScroll: true });
  }, [onBack !== undefined]);
  useEffect(() => setPixels(undefined), [digest]);
  if (picture === undefined) return null;
  const turn = (by: number) => {
    const next = at + by;
    if (next >= 0 && next < pictures.length) onGo(next);
  };
  const press = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const scrolls = zoom === 'full' && event.target === view.current;
    if (event.key === 'Escape' && onBack) onBack();
    else if (event.key === 'ArrowRight' && !scrolls && pictures.length > 1) turn(1);
    else if (event.key === 'ArrowLeft' && !scrolls && pictures.length > 1) turn(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <section className="pc viewer" aria-label={onBack ? 'Images' : `Image ${name}`} onKeyDown={press}>
      <div className="pc-tools">
        {onBack && (
          <>
            <Button size="compact-sm" variant="default" onClick={onBack}>
              All {count(pictures.length)}
            </Button>
            <Turn label="Previous image" isBack disabled={at === 0} onClick={() => turn(-1)} />
            <span className="num" role="status">
              {count(at + 1)} of {count(pictures.length)}
            </span>
            <Turn label="Next image" disabled={at === pictures.length - 1} onClick={() => turn(1)} />
          </>
        )}
        <span className="pc-what">
          <b dir="auto">{name}</b>{' '}
          <span className="dim">{[pixels, found && bytes(found.size)].filter(Boolean).join(' · ')}</span>
        </span>
        <SegmentedControl<Zoom>
          size="xs"
          aria-label="Size of the image"
          value={zoom}
          onChange={setZoom}
          data={[
            { value: 'fit', label: 'Fit' },
            { value: 'full', label: '100%' },
          ]}
        />
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconDownload size={14} />}
          aria-label={`Download ${name}`}
          onClick={() => download(digest, name.split('/').pop() ?? name)}
        >
          Download
        </Button>
      </div>
      <div
        className={`pc-view pc-${zoom}`}
        ref={view}
        tabIndex={zoom === 'full' || onBack ? 0 : undefined}
        role="group"
        aria-label={name}
      >
        <Drawn
          key={digest}
          picture={picture}
          onSize={(width, height) => setPixels(`${count(width)} × ${count(height)} pixels`)}
        />
      </div>
      {onBack && <Strip pictures={pictures} at={at} onGo={onGo} />}
    </section>
  );
}

type TurnProps = { label: string; isBack?: boolean; disabled: boolean; onClick: () => void };

function Turn({ label, isBack = false, disabled, onClick }: TurnProps) {
  return (
    <ActionIcon variant="default" size={28} aria-label={label} aria-disabled={disabled} onClick={onClick}>
      <IconChevron size={16} className={isBack ? 'pc-turned' : undefined} />
    </ActionIcon>
  );
}

function Strip({ pictures, at, onGo }: Pick<LargeProps, 'pictures' | 'at' | 'onGo'>) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const found = list.current?.children[at];
    if (!(found instanceof HTMLElement) || !list.current) return;
    // Only the strip moves: the page stays where it is.
    list.current.scrollTo({ left: found.offsetLeft - (list.current.clientWidth - found.clientWidth) / 2 });
  }, [at]);
  return (
    <ol className="pc-strip" ref={list}>
      {pictures.map((each, index) => (
        <li key={index}>
          <UnstyledButton
            aria-label={each.name}
            aria-current={index === at}
            tabIndex={index === at ? 0 : -1}
            onClick={() => onGo(index)}
          >
            <Small picture={each} />
          </UnstyledButton>
        </li>
      ))}
    </ol>
  );
}

/** A small image, loaded when it is about to be in sight. */
function Small({ picture }: { picture: Picture }) {
  const place = useRef<HTMLSpanElement>(null);
  const isNear = useNear(place);
  return (
    <span className="pc-small" ref={place}>
      {isNear && <Drawn picture={picture} isQuiet />}
    </span>
  );
}

function useNear(place: RefObject<Element | null>): boolean {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    if (!place.current) return undefined;
    const watch = new IntersectionObserver(([entry]) => entry?.isIntersecting && setNear(true), { rootMargin: AHEAD });
    watch.observe(place.current);
    return () => watch.disconnect();
  }, [place]);
  return isNear;
}

type DrawnProps = { picture: Picture; isQuiet?: boolean; onSize?: (width: number, height: number) => void };

function Drawn({ picture, isQuiet = false, onSize }: DrawnProps) {
  const { digest, media } = said(picture.file);
  const { data, error } = useQuery(blobQuery(digest));
  const [url, setUrl] = useState<string>();
  const [isBroken, setBroken] = useState(false);
  useEffect(() => {
    if (!data) return undefined;
    const made = URL.createObjectURL(new Blob([data], { type: media }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [data, media]);
  if (error || isBroken)
    return (
      <Text c="dimmed" size="sm">
        {error ? `The image could not be loaded: ${error.message}` : 'The image could not be read.'}
      </Text>
    );
  if (!url) return isQuiet ? null : <Loader size="sm" aria-label="Loading the image" />;
  return (
    <img
      src={url}
      alt={isQuiet ? '' : picture.name}
      draggable={false}
      onLoad={(event) => onSize?.(event.currentTarget.naturalWidth, event.currentTarget.naturalHeight)}
      onError={() => setBroken(true)}
    />
  );
}
