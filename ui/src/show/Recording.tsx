/** Sound and video, by the browser's own means; it never plays by itself, and says so where it cannot. */
import { useState } from 'react';
import { NotHere, type ViewerProps } from './parts';
import { addressOf } from './files';
import { shownAs } from './media';
import { useUnseen } from './whole';

/** What the server sends as what it is: all else a browser gets as bytes, and plays none of it. */
const SENT = /^(audio\/(aac|flac|mp4|mpeg|ogg|wav|webm)|video\/(mp4|ogg|quicktime|webm))$/;
/** The type of another kind of file that browsers play by: QuickTime holds what MP4 does. */
const ASKED: Record<string, string> = { 'video/quicktime': 'video/mp4' };

export function Recording({ digest, name, media }: ViewerProps) {
  const isVideo = shownAs(media) === 'video';
  const [isBroken, setBroken] = useState(
    () =>
      !SENT.test(media) ||
      document.createElement(isVideo ? 'video' : 'audio').canPlayType(ASKED[media] ?? media) === '',
  );
  const [isPlayed, setPlayed] = useState(false);
  useUnseen(!isPlayed && !isBroken, `${name} (not played)`);
  if (isBroken) return <NotHere name={name}>This browser cannot play it ({media}).</NotHere>;
  const Player = isVideo ? 'video' : 'audio';
  return (
    <Player
      className={isVideo ? 'video' : 'audio'}
      controls
      preload="metadata"
      src={addressOf(digest)}
      aria-label={name}
      onPlay={() => setPlayed(true)}
      onError={() => setBroken(true)}
    />
  );
}
