import ArgumentParser
import Control
import NIOPosix

/// How to reach the daemon.
struct ClientOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The daemon's control socket.",
      discussion: "Default: $HEARTH_SOCKET, else $XDG_RUNTIME_DIR/hearth.sock, else /run/hearth/hearth.sock.",
      valueName: "path"),
    completion: .file())
  var socket: String?

  var client: ControlClient {
    ControlClient(socket: Places.current.clientSocket(socket), eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
  }
}
