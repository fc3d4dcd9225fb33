/// The life of TLS on one connection.
///
/// `idle` until the connection stands, `handshaking` from there, `open` from the end of the handshake. `inputEnded` once the
/// other side has said `close_notify` or hung up its half, `outputEnded` once we have said it; in either of the two the
/// other direction goes on. `closed` is the end: by us, by an error, or with the connection.
enum TLSMachine: Equatable {
  case idle, handshaking, open, inputEnded, outputEnded, closed
}

/// What is to be done; all of it leaves the connection itself to the one who asks.
enum TLSCloseAction: Equatable {
  /// Say `close_notify` before the connection is closed in the way that was asked for.
  case sayGoodbye
  /// Close the connection in the way that was asked for.
  case passOn
  /// Nothing could be said as yet: close the connection altogether.
  case giveUp
}

enum TLSEndAction: Equatable {
  case passOn
  /// Was told before.
  case ignore
  /// Tell the error and close the connection.
  case fail(TLSError)
  /// Tell the error, then pass on.
  case report(TLSError)
}

extension TLSMachine {
  var isHandshaking: Bool { self == .handshaking }

  var isReadable: Bool {
    switch self {
    case .open, .outputEnded: true
    case .idle, .handshaking, .inputEnded, .closed: false
    }
  }

  var isWritable: Bool {
    switch self {
    case .open, .inputEnded: true
    case .idle, .handshaking, .outputEnded, .closed: false
    }
  }

  /// Whether writes are kept, or sent; they fail otherwise.
  var takesWrites: Bool {
    switch self {
    case .idle, .handshaking, .open, .inputEnded: true
    case .outputEnded, .closed: false
    }
  }

  /// The connection stands. True where the handshake is to begin.
  mutating func connected() -> Bool {
    guard self == .idle else { return false }
    self = .handshaking
    return true
  }

  mutating func established() {
    if self == .handshaking { self = .open }
  }

  /// True where it was the handshake's.
  mutating func deadlinePassed() -> Bool {
    guard self == .handshaking else { return false }
    self = .closed
    return true
  }

  /// The session is of no more use. False where that is known.
  mutating func failed() -> Bool {
    guard self != .closed else { return false }
    self = .closed
    return true
  }

  /// The other side said `close_notify`. `isHalfClosable`: whether ours may go on after it. True where the end of the
  /// input is to be told; otherwise the channel is to be closed, once what was read has been answered.
  mutating func receivedGoodbye(isHalfClosable: Bool) -> Bool {
    guard self == .open else {
      self = .closed
      return false
    }
    self = .inputEnded
    return isHalfClosable
  }

  /// The other side closed its half of the connection.
  mutating func inputEnded() -> TLSEndAction {
    switch self {
    case .idle, .closed: return .passOn
    case .inputEnded: return .ignore
    case .handshaking:
      self = .closed
      return .fail(.handshakeEnded)
    case .open:
      self = .inputEnded
      return .report(.truncated)
    case .outputEnded:
      self = .closed
      return .report(.truncated)
    }
  }

  /// The connection is gone.
  mutating func disconnected() -> TLSEndAction {
    defer { self = .closed }
    switch self {
    case .idle, .inputEnded, .closed: return .passOn
    case .handshaking: return .report(.handshakeEnded)
    case .open, .outputEnded: return .report(.truncated)
    }
  }

  /// No more is to be written.
  mutating func closeOutput() -> TLSCloseAction {
    switch self {
    case .open:
      self = .outputEnded
      return .sayGoodbye
    case .inputEnded:
      self = .closed
      return .sayGoodbye
    case .idle, .handshaking:
      self = .closed
      return .giveUp
    case .outputEnded, .closed: return .passOn
    }
  }

  mutating func close() -> TLSCloseAction {
    defer { self = .closed }
    return isWritable ? .sayGoodbye : .passOn
  }
}
