// The camera: live picture, and the frame to judge.

export class Camera {
  constructor(video, devices) {
    this.video = video;
    this.devices = devices;
  }

  get isOn() {
    return this.video.srcObject !== null;
  }

  // Show the live picture; Error with one line where there is no camera, or none is allowed.
  async start() {
    if (!navigator.mediaDevices) throw new Error("Browsers give a camera to https:// and to this machine alone.");
    const wanted = this.devices.value ? { deviceId: { exact: this.devices.value } } : { facingMode: "environment" };
    this.stop();
    try {
      const size = { width: { ideal: 1920 }, height: { ideal: 1920 } };
      this.video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { ...wanted, ...size } });
    } catch (error) {
      throw new Error(`No camera: ${error.message}`);
    }
    await this.video.play();
    await this.listDevices();
  }

  stop() {
    for (const track of this.video.srcObject?.getTracks() || []) track.stop();
    this.video.srcObject = null;
  }

  // Return the frame as a PNG: nothing is lost on the way to the score.
  grab() {
    const canvas = document.createElement("canvas");
    canvas.width = this.video.videoWidth;
    canvas.height = this.video.videoHeight;
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  async listDevices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    const cameras = all.filter((device) => device.kind === "videoinput");
    const chosen = this.video.srcObject.getVideoTracks()[0].getSettings().deviceId;
    this.devices.replaceChildren(...cameras.map((one) => new Option(one.label, one.deviceId, false, one.deviceId === chosen)));
    this.devices.hidden = cameras.length < 2;
  }
}
