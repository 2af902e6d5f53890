/** One page of a PDF: drawn on a canvas, with its text and its links above it, to be selected, read out and followed. */
import { VisuallyHidden } from '@mantine/core';
import { TextLayer, type PageViewport } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { useEffect, useRef, useState } from 'react';
import type { Opened } from './document';

/** Pixels of a canvas: phones draw no larger ones. */
const MOST_PIXELS = 16_777_216;
/** Height over width of a page that was not drawn yet: A4. */
const USUAL = 1.414;
/** A page is drawn when it is this near, and let go of when it is farther away. */
const NEAR = '800px';

/** What pdf.js says of a link: `url` only if it is an address of the web, or the like. */
type Annotation = { subtype?: string; url?: string; rect?: number[] };
type Place = { url: string; left: number; top: number; width: number; height: number };

/** The links that lead to the web, and where they are on the page. */
function linksOf(annotations: Annotation[], viewport: PageViewport): Place[] {
  return annotations.flatMap(({ subtype, url, rect }) => {
    if (subtype !== 'Link' || !url || !/^https?:\/\//i.test(url) || !rect) return [];
    const [left = 0, bottom = 0, right = 0, top = 0] = rect;
    const [x1 = 0, y1 = 0] = viewport.convertToViewportPoint(left, bottom) as number[];
    const [x2 = 0, y2 = 0] = viewport.convertToViewportPoint(right, top) as number[];
    return [
      { url, left: Math.min(x1, x2), top: Math.min(y1, y2), width: Math.abs(x2 - x1), height: Math.abs(y2 - y1) },
    ];
  });
}

type Props = {
  pdf: Opened;
  number: number;
  /** Pixels on the screen. */
  width: number;
  /** Whether it is drawn only when it is about to be in sight. */
  isLate: boolean;
};

export function Page({ pdf, number, width, isLate }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const texts = useRef<HTMLDivElement>(null);
  const [isNear, setNear] = useState(!isLate);
  const [shape, setShape] = useState(USUAL);
  const [problem, setProblem] = useState<string>();
  const [isDrawn, setDrawn] = useState(false);
  const [links, setLinks] = useState<Place[]>([]);
  useEffect(() => {
    if (!isLate || !place.current) return undefined;
    const watch = new IntersectionObserver(([entry]) => setNear(entry?.isIntersecting ?? false), { rootMargin: NEAR });
    watch.observe(place.current);
    return () => watch.disconnect();
  }, [isLate]);
  useEffect(() => {
    if (!isNear) return undefined;
    let isOver = false;
    let stop = () => {};
    const draw = async () => {
      const page = await pdf.getPage(number);
      const natural = page.getViewport({ scale: 1 });
      const viewport = page.getViewport({ scale: width / natural.width });
      setShape(natural.height / natural.width);
      const drawn = canvas.current;
      const layer = texts.current;
      if (isOver || !drawn || !layer) return;
      const density = Math.min(
        window.devicePixelRatio || 1,
        Math.sqrt(MOST_PIXELS / Math.max(1, viewport.width * viewport.height)),
      );
      drawn.width = Math.floor(viewport.width * density);
      drawn.height = Math.floor(viewport.height * density);
      const task = page.render({ canvas: drawn, viewport, transform: [density, 0, 0, density, 0, 0] });
      stop = () => task.cancel();
      await task.promise;
      if (isOver) return;
      setDrawn(true);
      layer.replaceChildren();
      layer.style.setProperty('--total-scale-factor', String(viewport.scale));
      const text = new TextLayer({ textContentSource: page.streamTextContent(), container: layer, viewport });
      stop = () => text.cancel();
      await text.render();
      if (!isOver) setLinks(linksOf((await page.getAnnotations()) as Annotation[], viewport));
    };
    draw().catch((error: unknown) => {
      if (!isOver) setProblem(error instanceof Error ? error.message : String(error));
    });
    return () => {
      isOver = true;
      stop();
      setDrawn(false);
      setLinks([]);
      // A canvas without size holds no memory.
      if (canvas.current) canvas.current.width = canvas.current.height = 0;
      texts.current?.replaceChildren();
      void pdf.getPage(number).then(
        (page) => page.cleanup(),
        () => undefined,
      );
    };
  }, [pdf, number, width, isNear]);
  return (
    <div className="pdf-page" ref={place} style={{ width, height: width * shape }} data-drawn={isDrawn || undefined}>
      <canvas ref={canvas} aria-hidden />
      <div className="textLayer" ref={texts} />
      {links.map(({ url, ...box }, at) => (
        <a key={at} className="pdf-link" href={url} title={url} style={box} target="_blank" rel="noopener noreferrer">
          <VisuallyHidden>{url}</VisuallyHidden>
        </a>
      ))}
      {problem !== undefined && (
        <p className="pdf-problem" role="alert">
          Page {number} could not be drawn: {problem}. Download the document to look into it.
        </p>
      )}
    </div>
  );
}
