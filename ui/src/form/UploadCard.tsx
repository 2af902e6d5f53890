/** How far a file is on its way. */
import { useEffect, useState } from 'react';
import { bytes } from '../show/numbers';
import type { Upload } from './reducer';
import { useForm } from './state';

const SECOND = 1_000;
/** Screen readers are told at each fifth, not at each byte. */
const TOLD = 20;

/** `field` is the id of the field, which is here what ends the upload. */
export function UploadCard({ id, upload, field }: { id: string; upload: Upload; field: string }) {
  const { dispatch, again } = useForm();
  const { name, size, done, error } = upload;
  const percent = size === 0 ? 0 : Math.min(100, Math.floor((done / size) * 100));
  const told = Math.floor(percent / TOLD) * TOLD;
  const cancel = () => dispatch({ type: 'cancelled', upload: id });
  return (
    <div className="up-card">
      <div className="f-row">
        <span className="up-name" dir="auto">
          {name}
        </span>
        <span className="num dim">
          {bytes(done)} of {bytes(size)}
        </span>
        {error && (
          <button type="button" className="btn" onClick={() => again(id)}>
            Try again
          </button>
        )}
        <button
          type="button"
          className="btn btn-quiet"
          id={field}
          aria-label={`${error ? 'Remove' : 'Cancel upload of'} ${name}`}
          onClick={cancel}
        >
          {error ? 'Remove' : 'Cancel upload'}
        </button>
      </div>
      {error ? (
        <p className="flt" role="alert">
          Not uploaded: {error}
        </p>
      ) : (
        <>
          <div
            className="pb"
            role="progressbar"
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={percent}
            aria-label={`Upload of ${name}`}
          >
            <i style={{ width: `${percent}%` }} />
          </div>
          <p className="hlp num">
            <Left upload={upload} percent={percent} />
          </p>
          <span className="vh" role="status">
            {told > 0 ? `Upload of ${name}: ${told} percent` : ''}
          </span>
        </>
      )}
    </div>
  );
}

/** What is left, once there is something to go by. */
function Left({ upload: { done, size, begun }, percent }: { upload: Upload; percent: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), SECOND);
    return () => window.clearInterval(timer);
  }, []);
  const passed = now - begun;
  const left = done > 0 && passed > SECOND ? Math.ceil(((size - done) / done) * (passed / SECOND)) : undefined;
  return (
    <>
      {percent}%
      {left !== undefined && left > 0 && `, about ${left > 90 ? `${Math.round(left / 60)} min` : `${left} s`}`}. You can
      keep typing.
    </>
  );
}
