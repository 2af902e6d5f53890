"""Small files of the kinds that the page shows: made here, so that none has to be kept."""

import io
import wave
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw


def pdf(pages: int, *, locked: bool = False, links: Sequence[str] = ()) -> bytes:
    """Return a document with lines of text on each page; `locked`: with a password; `links`: on the first lines of each page."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(pages))
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    notes = "".join(
        f"<< /Type /Annot /Subtype /Link /Rect [72 {680 - 18 * at} 400 {695 - 18 * at}] /A << /S /URI /URI ({link}) >> >>"
        for at, link in enumerate(links)
    )
    for n in range(1, pages + 1):
        lines = [f"BT /F1 24 Tf 72 740 Td (Contract, page {n}) Tj ET"]
        lines += [
            f"BT /F1 11 Tf 72 {700 - 18 * at} Td (Clause {n}.{at}: the supplier delivers within {at * 3} days of the order.) Tj ET"
            for at in range(1, 30)
        ]
        bodies.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {3 + 2 * n} 0 R"
            f" /Resources << /Font << /F1 3 0 R >> >> /Annots [{notes}] >>"
        )
        text = "\n".join(lines)
        bodies.append(f"<< /Length {len(text)} >>\nstream\n{text}\nendstream")
    extra = ""
    if locked:
        bodies.append(
            f"<< /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <{'41' * 32}> /U <{'42' * 32}> >>"
        )
        extra = f" /Encrypt {len(bodies)} 0 R /ID [<{'00' * 16}> <{'00' * 16}>]"
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(bodies) + 1} /Root 1 0 R{extra} >>\n"
    return out + f"{end}startxref\n{len(out)}\n%%EOF\n".encode()


def sound(seconds: int) -> bytes:
    """Return a recording of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8_000)
        wav.writeframes(bytes(16_000 * seconds))
    return file.getvalue()


FILM = """() => new Promise((resolve) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
  const pen = canvas.getContext('2d');
  const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm' });
  const pieces = [];
  let frame = 0;
  const timer = setInterval(() => {
    pen.fillStyle = `hsl(${frame * 9} 60% 40%)`;
    pen.fillRect(0, 0, 320, 180);
    if (++frame === 25) recorder.stop();
  }, 40);
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  recorder.onstop = () => {
    clearInterval(timer);
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(',')[1]);
    reader.readAsDataURL(new Blob(pieces));
  };
  recorder.start();
})"""


def film(page: Any) -> bytes:
    """Return a second of video, as the browser of a page records it."""
    return b64decode(page.evaluate(FILM))


def image(width: int, height: int, words: str, *, turned: bool = False) -> bytes:
    """Return an image as JPEG; `turned`: to be shown turned by a quarter."""
    made = Image.new("RGB", (width, height), (52, 96, 148))
    pen = ImageDraw.Draw(made)
    pen.rectangle((width // 8, height // 8, width // 2, height // 2), fill=(240, 190, 70))
    pen.text((width // 6, height // 6), words, fill=(20, 20, 20), font_size=max(10, height // 12))
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    file = io.BytesIO()
    made.save(file, "JPEG", quality=80, exif=exif)
    return file.getvalue()
