import { expect, test } from 'vitest';
import { fileValue, problemOf } from './upload';

function failure(status: number, body: string) {
  const originalResponse = {
    getStatus: () => status,
    getHeader: () => undefined,
    getBody: () => body,
    getUnderlyingObject: () => undefined,
  };
  return Object.assign(new Error('tus'), { originalResponse });
}

test('what the server refused is told in its own words', () => {
  const body = JSON.stringify({ code: 'quota_reached', detail: 'the quota of blobs is used up' });

  const problem = problemOf(failure(507, body) as never);

  expect([problem.status, problem.code, problem.message]).toEqual([
    507,
    'quota_reached',
    'the quota of blobs is used up',
  ]);
});

test('no reply at all is a server that cannot be reached', () => {
  expect(problemOf(new Error('network')).isUnreachable).toBe(true);
});

test('a proxy that answers instead does not put its page into a sentence', () => {
  expect(problemOf(failure(502, '<html>Bad gateway') as never).message).toBe('The server replied with status 502.');
});

test('a file whose type the browser does not know has that which the server found', () => {
  const file = new File(['%PDF-'], 'contract', { type: '' });

  expect(fileValue(file, { digest: 'd', size: 5, media: 'application/pdf' })).toEqual({
    $blob: 'd',
    size: 5,
    media: 'application/pdf',
    name: 'contract',
  });
});
