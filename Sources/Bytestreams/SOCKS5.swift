package import NIOCore

/// SOCKS5 (RFC 1928) as XEP-0065 §5.3.2 uses it: no authentication, one CONNECT, and as its destination a hash that only the two
/// sides know, so that nothing is ever connected on.
///
/// Both machines take the bytes of the handshake out of what came, and leave what follows it.
package enum SOCKS5 {
  /// The version, with which every message begins. No XML stream begins so.
  package static let version: UInt8 = 5

  /// Characters of a destination: SHA-1 in hexadecimal.
  package static let destinationLength = 40

  fileprivate enum Code {
    static let noAuthentication: UInt8 = 0
    static let noAcceptableMethod: UInt8 = 0xFF
    static let connect: UInt8 = 1
    static let ipv4: UInt8 = 1
    static let domain: UInt8 = 3
    static let ipv6: UInt8 = 4
    static let succeeded: UInt8 = 0
    static let notAllowed: UInt8 = 2
  }

  /// A request, or the reply to one: they differ in the second byte only.
  fileprivate static func message(_ code: UInt8, _ destination: String) -> ByteBuffer {
    var bytes = ByteBuffer(bytes: [version, code, 0, Code.domain, UInt8(destination.utf8.count)])
    bytes.writeString(destination)
    bytes.writeInteger(UInt16(0))
    return bytes
  }
}

/// The side that connected: `greeted`, `requested`, `connected`.
package struct SOCKS5ClientMachine: Sendable {
  private enum State { case greeted, requested, connected }

  private var state = State.greeted
  private let destination: String

  package init(destination: String) {
    self.destination = destination
  }

  /// What it says first.
  package var greeting: ByteBuffer { ByteBuffer(bytes: [SOCKS5.version, 1, SOCKS5.Code.noAuthentication]) }

  package enum Action: Sendable, Equatable {
    /// Not all of the answer has come.
    case wait
    case write(ByteBuffer)
    /// What follows is the other side's own.
    case connected
    /// It is no SOCKS5 server, or refuses.
    case fail
  }

  package mutating func received(_ bytes: inout ByteBuffer) -> Action {
    switch state {
    case .greeted:
      guard let answer = bytes.readBytes(length: 2) else { return .wait }
      guard answer == [SOCKS5.version, SOCKS5.Code.noAuthentication] else { return .fail }
      state = .requested
      return .write(SOCKS5.message(SOCKS5.Code.connect, destination))
    case .requested:
      return reply(&bytes)
    case .connected: return .connected
    }
  }

  private mutating func reply(_ bytes: inout ByteBuffer) -> Action {
    let start = bytes.readerIndex
    guard let head = bytes.getBytes(at: start, length: min(2, bytes.readableBytes)) else { return .wait }
    guard head == Array([SOCKS5.version, SOCKS5.Code.succeeded].prefix(head.count)) else { return .fail }
    guard let kind = bytes.getInteger(at: start + 3, as: UInt8.self) else { return .wait }
    let length: Int
    switch kind {
    case SOCKS5.Code.ipv4: length = 4
    case SOCKS5.Code.ipv6: length = 16
    case SOCKS5.Code.domain:
      guard let count = bytes.getInteger(at: start + 4, as: UInt8.self) else { return .wait }
      length = 1 + Int(count)
    default: return .fail
    }
    guard bytes.readSlice(length: 4 + length + 2) != nil else { return .wait }
    state = .connected
    return .connected
  }
}

/// The side that listens: `greeting` until the methods have come, `request` until the destination has, then `done`.
package struct SOCKS5ServerMachine: Sendable {
  private enum State { case greeting, request, done }

  private var state = State.greeting

  package init() {}

  package enum Action: Sendable, Equatable {
    case wait
    case write(ByteBuffer)
    /// Answer with `accepted`, or with `refused` and the end of the connection.
    case connect(to: String)
    /// End the connection, behind this.
    case refuse(ByteBuffer)
  }

  package mutating func received(_ bytes: inout ByteBuffer) -> Action {
    switch state {
    case .greeting: greeting(&bytes)
    case .request: request(&bytes)
    case .done: .wait
    }
  }

  private mutating func greeting(_ bytes: inout ByteBuffer) -> Action {
    let start = bytes.readerIndex
    guard bytes.getInteger(at: start, as: UInt8.self).map({ $0 == SOCKS5.version }) ?? true else { return refuse() }
    guard let count = bytes.getInteger(at: start + 1, as: UInt8.self) else { return .wait }
    guard let message = bytes.readBytes(length: 2 + Int(count)) else { return .wait }
    guard message.dropFirst(2).contains(SOCKS5.Code.noAuthentication) else { return refuse() }
    state = .request
    return .write(ByteBuffer(bytes: [SOCKS5.version, SOCKS5.Code.noAuthentication]))
  }

  private mutating func request(_ bytes: inout ByteBuffer) -> Action {
    let head = [SOCKS5.version, SOCKS5.Code.connect, 0, SOCKS5.Code.domain, UInt8(SOCKS5.destinationLength)]
    let came = bytes.getBytes(at: bytes.readerIndex, length: min(head.count, bytes.readableBytes)) ?? []
    guard came == Array(head.prefix(came.count)) else { return deny() }
    guard var message = bytes.readSlice(length: head.count + SOCKS5.destinationLength + 2) else { return .wait }
    message.moveReaderIndex(forwardBy: head.count)
    guard let destination = message.readString(length: SOCKS5.destinationLength) else { return deny() }
    state = .done
    return .connect(to: destination)
  }

  private mutating func refuse() -> Action {
    state = .done
    return .refuse(ByteBuffer(bytes: [SOCKS5.version, SOCKS5.Code.noAcceptableMethod]))
  }

  private mutating func deny() -> Action {
    state = .done
    return .refuse(Self.refused(""))
  }

  /// The answer to `connect`.
  package static func accepted(_ destination: String) -> ByteBuffer {
    SOCKS5.message(SOCKS5.Code.succeeded, destination)
  }

  package static func refused(_ destination: String) -> ByteBuffer {
    SOCKS5.message(SOCKS5.Code.notAllowed, destination)
  }
}
