/** Opening a PDF: in a worker, which asks for parts of the file as it needs them. */
import {
  getDocument,
  PDFDataRangeTransport,
  PDFWorker,
  version,
  type PDFDocumentProxy,
} from 'pdfjs-dist/legacy/build/pdf.mjs';
import { useEffect, useState } from 'react';
import { getPart } from '../../api/client';
import { addressOf } from '../files';

export type Opened = PDFDocumentProxy;

/** Bytes of a document that is opened: the worker reserves memory for all of it. */
export const LARGEST = 300_000_000;
/** Bytes asked for at once: a page of a scan has some hundred thousand. */
const PIECE = 512 * 1024;
/** Pixels of one image: more than any scanner has on a page, and still drawn by a phone. */
const IMAGE_PIXELS = 100_000_000;
/** Fonts, character maps and decoders that some documents need; the build puts them there. */
const PARTS = `/assets/pdf-${version}/`;

class Parts extends PDFDataRangeTransport {
  readonly #stop = new AbortController();
  readonly #address: string;
  readonly #fail: (error: Error) => void;

  constructor(digest: string, size: number, first: ArrayBuffer, fail: (error: Error) => void) {
    super(size, new Uint8Array(first));
    this.#address = addressOf(digest);
    this.#fail = fail;
  }

  override requestDataRange(begin: number, end: number): void {
    getPart(this.#address, begin, end, this.#stop.signal)
      .then((found) => this.onDataRange(begin, new Uint8Array(found)))
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.#fail(error instanceof Error ? error : new Error(String(error)));
      });
  }

  override abort(): void {
    this.#stop.abort();
  }
}

/** Open a document; `why` says why that is not possible. */
export function usePdf(digest: string, size: number): { pdf?: Opened; why?: string } {
  const [found, setFound] = useState<{ pdf?: Opened; why?: string }>({});
  useEffect(() => {
    if (size > LARGEST) return undefined;
    let isOver = false;
    let close = () => {};
    const fail = (error: Error) => {
      if (!isOver) setFound({ why: reason(error) });
    };
    const open = async () => {
      const first = await getPart(addressOf(digest), 0, Math.min(size, PIECE));
      if (isOver) return;
      // One for each document: what it has read goes with it.
      const port = new Worker(new URL('pdfjs-dist/legacy/build/pdf.worker.min.mjs', import.meta.url), {
        type: 'module',
      });
      const worker = PDFWorker.create({ port });
      const task = getDocument({
        worker,
        range: new Parts(digest, size, first, fail),
        rangeChunkSize: PIECE,
        disableAutoFetch: true,
        disableStream: true,
        maxImageSize: IMAGE_PIXELS,
        useWorkerFetch: false,
        cMapUrl: `${PARTS}cmaps/`,
        standardFontDataUrl: `${PARTS}standard_fonts/`,
        wasmUrl: `${PARTS}wasm/`,
        verbosity: 0,
      });
      close = () => {
        void task.destroy().finally(() => {
          worker.destroy();
          port.terminate();
        });
      };
      const pdf = await task.promise;
      if (!isOver) setFound({ pdf });
    };
    open().catch(fail);
    return () => {
      isOver = true;
      close();
      setFound({});
    };
  }, [digest, size]);
  return found;
}

export function reason(error: Error): string {
  switch (error.name) {
    case 'PasswordException':
      return 'This document is protected by a password.';
    case 'InvalidPDFException':
    case 'MissingPDFException':
    case 'FormatError':
      return 'This document is damaged, or is not a PDF.';
    default:
      return `This document could not be opened: ${error.message}.`;
  }
}
