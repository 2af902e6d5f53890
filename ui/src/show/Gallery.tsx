/** Many images: small ones beside each other, each as large as there is room once it is chosen. */
import { UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import type { JsonObject } from '../api/json';
import { BlobValue, ImageBlob, mediaOf } from './BlobValue';

export function Gallery({ images }: { images: JsonObject[] }) {
  const [chosen, setChosen] = useState<number>();
  const large = chosen === undefined ? undefined : images[chosen];
  return (
    <>
      <ul className="gallery">
        {images.map((each, index) => {
          const name = String(each.name ?? `Image ${index + 1}`);
          return (
            <li key={index}>
              <UnstyledButton
                aria-expanded={index === chosen}
                onClick={() => setChosen(index === chosen ? undefined : index)}
              >
                <ImageBlob digest={String(each.$blob)} media={mediaOf(String(each.media ?? ''), name)} name={name} />
                <span className="gallery-name" aria-hidden>
                  {name}
                </span>
              </UnstyledButton>
            </li>
          );
        })}
      </ul>
      {large && <BlobValue key={chosen} value={large} />}
    </>
  );
}
