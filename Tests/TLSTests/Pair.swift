import NIOCore
import Testing

@testable import TLS

/// Two sessions with memory between them: Alice dials, Bob answers.
struct Pair {
  let alice: TLSSession
  let bob: TLSSession

  init(_ alice: TLSConfiguration, _ bob: TLSConfiguration) throws {
    self.alice = try TLSSession(alice)
    self.bob = try TLSSession(bob)
  }

  init(_ alice: Identity, _ bob: Identity, newest: TLSVersion = .v13) throws {
    try self.init(
      .node(alice, role: .client, newest: newest, preferring: .aes),
      .node(bob, role: .server, newest: newest, preferring: .aes))
  }

  /// Carries the handshake through. `edit` may change what is on its way to Bob.
  func shakeHands(edit: (inout ByteBuffer) -> Void = { _ in }) throws {
    if try !shakeHandsOrStall(edit: edit) { Issue.record("the handshake does not end") }
  }

  /// False where both wait for the other.
  @discardableResult
  func shakeHandsOrStall(edit: (inout ByteBuffer) -> Void) throws -> Bool {
    var (isAliceDone, isBobDone) = (false, false)
    for _ in 0..<8 {
      if !isAliceDone { isAliceDone = try alice.handshake() }
      if var bytes = alice.takeOutgoing() {
        edit(&bytes)
        bob.receive(bytes)
      }
      if !isBobDone { isBobDone = try bob.handshake() }
      if let bytes = bob.takeOutgoing() { alice.receive(bytes) }
      if isAliceDone, isBobDone { return true }
    }
    return false
  }

  /// Alice writes, and Bob reads.
  func carry(_ bytes: ByteBuffer) throws -> ByteBuffer {
    try alice.write(bytes)
    if let ciphertext = alice.takeOutgoing() { bob.receive(ciphertext) }
    var plaintext = ByteBuffer()
    plaintext.reserveCapacity(bytes.readableBytes + 1)
    #expect(try bob.read(into: &plaintext) == .dry)
    return plaintext
  }
}

/// The error's code; nil where there was none.
func code(of body: () throws -> Void) -> TLSError.Code? {
  do {
    try body()
    return nil
  } catch {
    return (error as? TLSError)?.code
  }
}

/// Generating keys is cheap, and yet these two will do for most tests.
enum Known {
  static let alice = Result { try Identity.generate(name: "alice@phone") }
  static let bob = Result { try Identity.generate(name: "bob@pi") }
}
