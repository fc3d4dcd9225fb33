package import NIOCore

/// What one listening server grants its clients.
package struct HTTPServerLimits: Sendable {
  /// Open at once, on all addresses of the server; more wait in the kernel's backlog, and the one that has been idle for
  /// the longest time is closed for them. Browsers open 6 an origin, one origin a device.
  package var connections = 512
  /// What one request's head may hold.
  package var heads = HTTPHeadLimits()
  /// Without a request in progress, from the first moment on: longer than browsers keep a connection for reuse.
  package var idle = TimeAmount.seconds(75)
  /// For a request's head, from its first byte: clients send it in one piece.
  package var head = TimeAmount.seconds(10)
  /// Idle for less, a connection is not closed for another one: its request may be on its way.
  static let spared = TimeAmount.seconds(1)
  /// Until a server that is full of requests looks again for a connection that has become idle.
  static let fullServer = TimeAmount.milliseconds(250)
  /// After the last response of a connection, for the client to read it before the socket is closed (RFC 9112 §9.6).
  package var linger = TimeAmount.seconds(2)
  /// Between the client's end of input and the cancellation of what still works on its request: a client that only
  /// half-closes gets a quick answer, one that went away frees what it held.
  package var halfCloseGrace = TimeAmount.milliseconds(250)
  /// Without a byte on a connection that was upgraded, once one of its directions has ended: whoever ends one alone waits for
  /// no more than a last answer.
  package var halfClosed = TimeAmount.seconds(60)
  /// From the request to shut down until responses that still run are cut.
  package var shutdown = Duration.seconds(1)
  /// Connections that wait in the kernel to be accepted: as many as a burst of clients opens before a loop wakes up.
  static let backlog: Int32 = 256
  /// Bytes that the kernel keeps for a client of this machine, which it takes twice. Left alone it keeps 4 MiB, and says that there is
  /// room when a third of it is free: what comes then is a burst, and small answers on the same stream wait behind it for 3 ms.
  /// Half of this does no better, and takes 3 % more CPU for bulk; this takes 1 %.
  static let sendBuffer: SocketOptionValue = 256 * 1024

  package init() {}
}

/// What the head of one message may hold.
package struct HTTPHeadLimits: Sendable {
  /// The first line, or name and value of one field, in bytes: cookies of 8 KiB and long signed URLs fit.
  package var fieldSize = 64 * 1024
  /// All of it, in bytes.
  package var fieldsSize = 128 * 1024
  /// Fields.
  package var fieldCount = 256
  /// Room for the fields that most heads have.
  static let usualFields = 16

  package init() {}
}

/// What is around the bytes of a body in chunks (RFC 9112 §7.1).
enum ChunkLimits {
  /// Bytes of the line with a size: extensions are read over, and nobody sends long ones.
  static let line = 4 << 10
  /// Hexadecimal digits of a size: what fits into 63 bits.
  static let digits = 15
  /// Bytes of all trailers, which are not carried on.
  static let trailers = 16 << 10
}

/// How much one client of one upstream takes, and how long it waits.
package struct HTTPClientLimits: Sendable {
  /// Open to the upstream at once, all kept until they are idle for too long; event streams hold one each. `Shares` says
  /// who may have how many.
  package var connections = 128
  /// Requests that wait for their turn; more fail at once. They are shared out as the connections are.
  package var waiting = 512
  /// For a request to get its turn: whoever sits before a page has given up by then, and a program may try again.
  package var turn = TimeAmount.seconds(30)
  /// Without an exchange, from the first moment on: below the five seconds after which common app servers close an unused
  /// connection.
  package var idle = TimeAmount.seconds(4)
  /// To open a connection, name resolution included; the same again for a TLS handshake.
  package var connect = TimeAmount.seconds(5)
  /// From the end of the request to the head of its response; long polls stay below a minute by custom, and apps that make
  /// a report take longer.
  package var response = TimeAmount.seconds(300)
  /// What one response's head may hold.
  package var heads = HTTPHeadLimits()
  /// WebSockets at once: half of the connections, so that as many are left for requests, which do not last for days.
  /// They are shared out as the connections are.
  package var upgraded = 64
  /// For what was written last to leave where the protocol has changed, after which the connection is cut.
  static let drain = TimeAmount.seconds(60)
  /// Silence after which a connection to another machine is asked whether that is still there, in seconds: a host that lost its
  /// power says nothing, and an idle WebSocket waits without limit.
  static let keepAliveIdle: SocketOptionValue = 60
  /// Seconds between the nine times that it is asked then.
  static let keepAliveInterval: SocketOptionValue = 10

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
  /// Parts up to this one are copied behind what is written with them: that costs less than a buffer of their own does.
  static let copied = 8 * 1024
  /// Bytes of memory that a connection keeps for its next message.
  static let kept = 4 * 1024
  /// Room for what is around a chunk.
  static let chunkMarkup = 24
  /// Room for a head with the fields that most have.
  static let head = 1024
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
