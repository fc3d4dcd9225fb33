package import NIOCore

/// What one listening server grants its clients.
package struct HTTPServerLimits: Sendable {
  /// Open at once; more wait in the kernel's backlog. Browsers open 6 an origin, one origin a device.
  package var connections = 512
  /// Name and value of one header field, in bytes: cookies of 8 KiB and long signed URLs fit.
  package var fieldSize = 64 * 1024
  /// All header fields of one request, in bytes.
  package var fieldsSize = 128 * 1024
  /// Header fields of one request.
  package var fieldCount = 256
  /// Without a request in progress, reading its head included: longer than browsers keep a connection for reuse.
  package var idle = TimeAmount.seconds(75)
  /// After the last response of a connection, for the client to read it before the socket is closed (RFC 9112 §9.6).
  package var linger = TimeAmount.seconds(2)
  /// Between the client's end of input and the cancellation of what still works on its request: a client that only
  /// half-closes gets a quick answer, one that went away frees what it held.
  package var halfCloseGrace = TimeAmount.milliseconds(250)
  /// From the request to shut down until responses that still run are cut.
  package var shutdown = Duration.seconds(1)

  package init() {}
}

/// How much one client of one upstream takes, and how long it waits.
package struct HTTPClientLimits: Sendable {
  /// Open to the upstream at once; event streams hold one each.
  package var connections = 128
  /// Kept open unused.
  package var idleConnections = 16
  /// Requests that wait for a connection; more fail at once.
  package var waiting = 512
  /// Below the five seconds after which common app servers close an unused connection.
  package var idle = TimeAmount.seconds(4)
  /// To open a connection, name resolution included; the same again for a TLS handshake.
  package var connect = TimeAmount.seconds(5)
  /// From the end of the request to the head of its response; long polls stay below a minute by custom.
  package var response = TimeAmount.seconds(120)
  /// Name and value of one header field of a response, in bytes.
  package var fieldSize = 64 * 1024
  /// All header fields of one response, in bytes.
  package var fieldsSize = 128 * 1024
  /// Header fields of one response.
  package var fieldCount = 256

  package init() {}
}

/// Sizes of what crosses between event loops and tasks, in bytes.
enum PartSize {
  /// Read at once from a socket: a whole part of a body in one hop.
  static let receive = 64 * 1024
  /// A receive buffer starts here, so that idle and small connections stay cheap.
  static let initialReceive = 16 * 1024
  /// Bodies of a known length up to this one are sent with their head, in one write.
  static let small = 64 * 1024
}

/// Parts of a body that wait for its reader before reading from the socket stops.
enum PartsInFlight {
  static let low = 1
  static let high = 4
}

enum SocketTableLimits {
  /// Bytes of the kernel's table that are read to find one socket: 150 a row, and no machine of a home has 200,000.
  static let bytes = 32 << 20
}
