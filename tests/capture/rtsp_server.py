"""Two real RTSP servers that show one picture; run by the system's python3, which has the GStreamer bindings.

    /usr/bin/python3 rtsp_server.py PICTURE.png PORT     (0 = any free port)

Prints their ports once they listen: of the open one (/jpeg, /h264), and of the one that wants the user "admin"
with the password "s3cret" (/jpeg).
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

# 100 frames/s: ffmpeg looks at 20 of them before it opens a stream.
PICTURE = "filesrc location={} ! pngdec ! imagefreeze is-live=true ! video/x-raw,framerate=100/1 ! videoconvert"
JPEG = "video/x-raw,format=I420 ! jpegenc quality=95 ! rtpjpegpay name=pay0"
H264 = "video/x-raw,format=I420 ! x264enc tune=zerolatency bitrate=2000 key-int-max=10 ! rtph264pay name=pay0"


def make_server(picture: str, port: str, encoders: dict[str, str]) -> GstRtspServer.RTSPServer:
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    for path, encoder in encoders.items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {PICTURE.format(picture)} ! {encoder} )")
        factory.set_shared(True)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("user", "media.factory.access", True)
        permissions.add_permission_for_role("user", "media.factory.construct", True)
        factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)
    return server


def lock(server: GstRtspServer.RTSPServer, *, user: str, password: str) -> None:
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth = GstRtspServer.RTSPAuth()
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)


def main() -> None:
    picture, port = sys.argv[1:]
    Gst.init(None)
    servers = [make_server(picture, port, {"/jpeg": JPEG, "/h264": H264}), make_server(picture, "0", {"/jpeg": JPEG})]
    lock(servers[1], user="admin", password="s3cret")
    for server in servers:
        if not server.attach(None):
            raise SystemExit(f"port {port} is taken")
    sys.stdout.write(" ".join(str(server.get_bound_port()) for server in servers) + "\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
