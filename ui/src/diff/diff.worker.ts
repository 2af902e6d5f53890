import { difference } from './rows';

self.onmessage = ({ data }: MessageEvent<{ left: string; right: string }>) => {
  self.postMessage(difference(data.left, data.right));
};
