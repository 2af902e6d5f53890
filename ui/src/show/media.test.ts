import { expect, it } from 'vitest';
import { agreed, mediaOf, shownAs } from './media';

it('what a file is called says what it is where nothing else does', () => {
  expect(mediaOf('', 'a.b/Call.MP3')).toBe('audio/mpeg');
  expect(mediaOf('application/octet-stream', 'x.pdf')).toBe('application/pdf');
  expect(mediaOf('audio/x-wav; codec=1', 'x.bin')).toBe('audio/wav');
  expect(mediaOf('', 'README')).toBe('');
});

it('a claim counts only where the content can be that', () => {
  expect(agreed('text/markdown', 'text/plain')).toBe('text/markdown');
  expect(agreed('image/png', 'text/html')).toBe('text/html');
  expect(agreed('text/html', 'text/plain')).toBe('text/plain');
  expect(agreed('application/pdf', 'application/octet-stream')).toBe('application/octet-stream');
  expect(agreed('audio/mp4', 'video/mp4')).toBe('audio/mp4');
  expect(agreed('video/mp4', 'video/webm')).toBe('video/webm');
});

it('each kind of file has its way to be shown, and the rest says that it has none', () => {
  const ways = {
    'image/svg+xml': 'image',
    'image/tiff': 'nothing',
    'application/pdf': 'pdf',
    'audio/flac': 'audio',
    'video/x-msvideo': 'video',
    'text/markdown': 'markdown',
    'text/csv': 'table',
    'text/html': 'text',
    'application/zip': 'nothing',
  };
  for (const [media, way] of Object.entries(ways)) expect(shownAs(media)).toBe(way);
});
