import COpenSSL
import NIOCore
import TestKit
import Testing

@testable import TLS

@Suite struct TLSSessionTests {
  static let versions: [TLSVersion] = [.v12, .v13]
  let alice: Identity
  let bob: Identity

  init() throws {
    alice = try Known.alice.get()
    bob = try Known.bob.get()
  }

  @Test(arguments: versions)
  func bothLearnWhoTheOtherIs(_ version: TLSVersion) throws {
    let pair = try Pair(alice, bob, newest: version)
    try pair.shakeHands()
    #expect(pair.alice.peer == PeerCertificate(spki: bob.spki, certificate: bob.certificate.der))
    #expect(pair.bob.peer == PeerCertificate(spki: alice.spki, certificate: alice.certificate.der))
    #expect(pair.bob.peer?.fingerprint == Digest.sha256(alice.certificate.der))
    let cipher = version == .v12 ? "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" : "TLS_AES_128_GCM_SHA256"
    for session in [pair.alice, pair.bob] {
      #expect(session.version == version)
      #expect(session.cipher == cipher)
      #expect(SSL_session_reused(session.ssl) == 0)
      #expect(SSL_SESSION_is_resumable(SSL_get_session(session.ssl)) == 0)
      #expect(SSL_get_current_compression(session.ssl) == nil)
    }
  }

  @Test(arguments: versions)
  func versionsMeetAtTheOlder(_ version: TLSVersion) throws {
    let pair = try Pair(
      .node(alice, role: .client, newest: version), .node(bob, role: .server))
    try pair.shakeHands()
    #expect(pair.bob.version == version)
  }

  @Test(arguments: versions, [Validity(from: "19700101000000Z", until: "19700102000000Z"), .tomorrowForever])
  func datesDoNotCountBetweenNodes(_ version: TLSVersion, _ validity: Validity) throws {
    let odd = try Identity.generate(name: "x", validity: validity)
    let pair = try Pair(odd, odd, newest: version)
    try pair.shakeHands()
    #expect(pair.alice.peer?.spki == odd.spki)
    #expect(pair.bob.peer?.spki == odd.spki)
  }

  @Test(arguments: versions)
  func aThiefOfACertificateIsRefused(_ version: TLSVersion) throws {
    let thief = try Forged.identity(certificateOf: alice, keyOf: try .generate(name: "mallory"))
    #expect(code { try Pair(thief, bob, newest: version).shakeHands() } == .wrongKey)
    #expect(code { try Pair(bob, thief, newest: version).shakeHands() } == .wrongKey)
  }

  @Test(arguments: versions)
  func aCertificateOfAnotherSignerIsRefused(_ version: TLSVersion) throws {
    let stranger = try Forged.identity(of: alice, signedBy: try .generate(name: "mallory"))
    #expect(code { try Pair(stranger, bob, newest: version).shakeHands() } == .certificateRefused)
    #expect(code { try Pair(bob, stranger, newest: version).shakeHands() } == .certificateRefused)
  }

  @Test(arguments: versions)
  func aClientWithoutCertificateIsNobody(_ version: TLSVersion) throws {
    let guest = TLSConfiguration(context: try TLSContext(rule: .any, newest: version), role: .client, serverName: nil)
    let pair = try Pair(guest, .node(bob, role: .server))
    try pair.shakeHands()
    #expect(pair.bob.peer == nil && pair.bob.version == version)
    #expect(pair.alice.peer == PeerCertificate(spki: bob.spki, certificate: bob.certificate.der))
    #expect(try pair.carry(ByteBuffer(string: "hello")) == ByteBuffer(string: "hello"))
  }

  /// In TLS 1.2 certificates are sent in the clear, so that anyone between can change them.
  @Test(arguments: [0, 1, 4, 40, -1])
  func aDamagedCertificateIsRefused(_ position: Int) throws {
    let pair = try Pair(alice, bob, newest: .v12)
    let der = ByteBuffer(bytes: alice.certificate.der)
    var isChanged = false
    let result = code {
      try pair.shakeHands { bytes in
        guard let start = bytes.firstRange(of: der) else { return }
        let index = start + (position < 0 ? der.readableBytes + position : position)
        bytes.setInteger(~(bytes.getInteger(at: index, as: UInt8.self) ?? 0), at: index)
        isChanged = true
      }
    }
    #expect(isChanged)
    #expect(result == .certificateRefused)
  }

  @Test func whatIsChangedOnTheWayIsRefused() throws {
    let pair = try Pair(alice, bob)
    try pair.shakeHands()
    try pair.alice.write(ByteBuffer(string: "genuine"))
    let genuine = try #require(pair.alice.takeOutgoing())
    try pair.alice.write(ByteBuffer(string: "forged"))
    var forged = try #require(pair.alice.takeOutgoing())
    forged.setInteger(~(forged.getInteger(at: 8, as: UInt8.self) ?? 0), at: 8)
    pair.bob.receive(genuine)
    pair.bob.receive(forged)
    var plaintext = ByteBuffer()
    plaintext.reserveCapacity(100)
    #expect(code { _ = try pair.bob.read(into: &plaintext) } == .violation)
    #expect(String(buffer: plaintext) == "genuine")
    let alert = try #require(pair.bob.takeOutgoing())
    pair.alice.receive(alert)
    // bad_record_mac
    #expect(code { _ = try pair.alice.read(into: &plaintext) } == .alert(20))
  }

  @Test func errorsStayWithTheirSession() throws {
    let healthy = try Pair(alice, bob)
    try healthy.shakeHands()
    let broken = try Pair(alice, bob)
    broken.bob.receive(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
    #expect(code { _ = try broken.bob.handshake() } == .notTLS)
    #expect(ERR_peek_error() == 0)
    // What others leave there is not taken for ours.
    #expect(X509_check_private_key(alice.certificate.pointer, bob.key.pointer) == 0)
    #expect(ERR_peek_error() != 0)
    #expect(try healthy.carry(ByteBuffer(string: "still here")) == ByteBuffer(string: "still here"))
    ErrorQueue.clear()
  }

  @Test(arguments: versions, [0, 1, 16_383, 16_384, 16_385, 1 << 20])
  func anyLengthGoesThrough(_ version: TLSVersion, _ length: Int) throws {
    let pair = try Pair(alice, bob, newest: version)
    try pair.shakeHands()
    let bytes = ByteBuffer(bytes: (0..<length).lazy.map { UInt8(truncatingIfNeeded: $0 &* 31) })
    #expect(try pair.carry(bytes) == bytes)
    #expect(try pair.carry(bytes) == bytes)
  }

  @Test func readingStopsAtTheCapacity() throws {
    let pair = try Pair(alice, bob)
    try pair.shakeHands()
    try pair.alice.write(ByteBuffer(repeating: 1, count: 5000))
    if let bytes = pair.alice.takeOutgoing() { pair.bob.receive(bytes) }
    var plaintext = ByteBuffer()
    plaintext.reserveCapacity(2048)
    #expect(try pair.bob.read(into: &plaintext) == .full)
    #expect(plaintext.readableBytes == 2048)
    #expect(plaintext.capacity == 2048)
    plaintext.clear()
    #expect(try pair.bob.read(into: &plaintext) == .full)
    plaintext.clear()
    #expect(try pair.bob.read(into: &plaintext) == .dry)
    #expect(plaintext.readableBytes == 904)
  }

  @Test(arguments: versions)
  func goodbyeIsHeardAndReadingGoesOnAfterOurs(_ version: TLSVersion) throws {
    let pair = try Pair(alice, bob, newest: version)
    try pair.shakeHands()
    pair.bob.sayGoodbye()
    #expect(try pair.carry(ByteBuffer(string: "late")) == ByteBuffer(string: "late"))
    try pair.alice.write(ByteBuffer(string: "last"))
    pair.alice.sayGoodbye()
    if let bytes = pair.alice.takeOutgoing() { pair.bob.receive(bytes) }
    if let bytes = pair.bob.takeOutgoing() { pair.alice.receive(bytes) }
    var plaintext = ByteBuffer()
    plaintext.reserveCapacity(100)
    #expect(try pair.bob.read(into: &plaintext) == .ended)
    #expect(String(buffer: plaintext) == "last")
    #expect(try pair.alice.read(into: &plaintext) == .ended)
  }
}

extension Validity {
  static let tomorrowForever = Validity(from: "20990101000000Z", until: "99991231235959Z")
}

extension ByteBuffer {
  /// Where the other one's bytes begin in this one.
  func firstRange(of other: ByteBuffer) -> Int? {
    let (bytes, wanted) = (Array(readableBytesView), Array(other.readableBytesView))
    guard bytes.count >= wanted.count else { return nil }
    for start in 0...(bytes.count - wanted.count) where bytes[start] == wanted[0] {
      if bytes[start..<(start + wanted.count)].elementsEqual(wanted) { return readerIndex + start }
    }
    return nil
  }
}
