/**
 * Own picture and microphone before joining. Both are asked for together, so
 * that the browser shows one question; when that fails each is tried alone, so
 * that a missing camera does not silence the microphone.
 */
import { useEffect, useState } from "react";
import { classify, type Failure } from "./failures";
import { microphoneConstraints } from "./options";

export interface Preview {
  camera: MediaStream | null;
  microphone: MediaStream | null;
  cameraFailure: Failure | null;
  microphoneFailure: Failure | null;
  isAsking: boolean;
}

const ASKING: Preview = {
  camera: null,
  microphone: null,
  cameraFailure: null,
  microphoneFailure: null,
  isAsking: true,
};

interface Wish {
  cameraId: string | null;
  microphoneId: string | null;
  wantsCamera: boolean;
}

export function usePreview({ cameraId, microphoneId, wantsCamera }: Wish): Preview & { again: () => void } {
  const [preview, setPreview] = useState<Preview>(ASKING);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    let opened: Preview | null = null;
    void openDevices({ cameraId, microphoneId, wantsCamera }).then((result) => {
      opened = result;
      if (isCurrent) setPreview(result);
      else release(result);
    });
    return () => {
      isCurrent = false;
      if (opened) release(opened);
    };
  }, [cameraId, microphoneId, wantsCamera, round]);
  return { ...preview, again: () => setRound((before) => before + 1) };
}

async function openDevices({ cameraId, microphoneId, wantsCamera }: Wish): Promise<Preview> {
  const isSecure = window.isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia);
  if (!isSecure) {
    return { ...ASKING, isAsking: false, cameraFailure: "insecure", microphoneFailure: "insecure" };
  }
  const video: MediaTrackConstraints = {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    ...(cameraId ? { deviceId: { ideal: cameraId } } : {}),
  };
  const audio = microphoneConstraints(microphoneId);
  const media = navigator.mediaDevices;
  if (wantsCamera) {
    const both = await media.getUserMedia({ video, audio }).catch(() => null);
    if (both) {
      return {
        camera: new MediaStream(both.getVideoTracks()),
        microphone: new MediaStream(both.getAudioTracks()),
        cameraFailure: null,
        microphoneFailure: null,
        isAsking: false,
      };
    }
  }
  const [microphone, camera] = [
    await attempt(() => media.getUserMedia({ audio })),
    wantsCamera ? await attempt(() => media.getUserMedia({ video })) : { stream: null, failure: null },
  ];
  return {
    camera: camera.stream,
    microphone: microphone.stream,
    cameraFailure: camera.failure,
    microphoneFailure: microphone.failure,
    isAsking: false,
  };
}

async function attempt(
  open: () => Promise<MediaStream>,
): Promise<{ stream: MediaStream | null; failure: Failure | null }> {
  try {
    return { stream: await open(), failure: null };
  } catch (error) {
    return { stream: null, failure: classify(error, window.isSecureContext) };
  }
}

function release(preview: Preview): void {
  for (const stream of [preview.camera, preview.microphone]) {
    for (const track of stream?.getTracks() ?? []) track.stop();
  }
}
