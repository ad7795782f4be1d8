/**
 * A picture that is hard to compress, so that the test sends as much as it is
 * allowed to: coarse coloured noise, new with every frame.
 */

const WIDTH_PX = 640;
const HEIGHT_PX = 360;
const GRAIN_PX = 8;
const FRAMES_PER_S = 20;

export function noise(): { track: MediaStreamTrack; stop: () => void } {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH_PX;
  canvas.height = HEIGHT_PX;
  const small = document.createElement("canvas");
  small.width = WIDTH_PX / GRAIN_PX;
  small.height = HEIGHT_PX / GRAIN_PX;
  const grain = small.getContext("2d");
  const picture = canvas.getContext("2d");
  if (!grain || !picture) throw new Error("The browser draws no pictures");
  const pixels = grain.createImageData(small.width, small.height);
  const draw = () => {
    crypto.getRandomValues(pixels.data);
    for (let at = 3; at < pixels.data.length; at += 4) pixels.data[at] = 255;
    grain.putImageData(pixels, 0, 0);
    picture.drawImage(small, 0, 0, WIDTH_PX, HEIGHT_PX);
  };
  draw();
  const timer = window.setInterval(draw, 1000 / FRAMES_PER_S);
  const [track] = canvas.captureStream(FRAMES_PER_S).getVideoTracks();
  if (!track) throw new Error("The browser draws no pictures");
  return {
    track,
    stop: () => {
      window.clearInterval(timer);
      track.stop();
    },
  };
}
