import NIOCore
import NIOEmbedded
import TestKit
import Testing

@testable import TLS

@Suite struct TLSHandlerTests {
  static let versions: [TLSVersion] = [.v12, .v13]

  private func ends(
    _ newest: TLSVersion = .v13, hear: @escaping (Told, any Channel) -> Void = { _, _ in }
  ) throws -> (alice: End, bob: End) {
    (
      try End(.node(Known.alice.get(), role: .client, newest: newest, preferring: .aes)),
      try End(.node(Known.bob.get(), role: .server, newest: newest, preferring: .aes), hear: hear)
    )
  }

  private func connected(
    _ newest: TLSVersion = .v13, hear: @escaping (Told, any Channel) -> Void = { _, _ in }
  ) throws -> (alice: End, bob: End) {
    let (alice, bob) = try ends(newest, hear: hear)
    try alice.connect()
    try bob.connect()
    try carry(alice, bob)
    #expect(alice.listener.told.hasEstablished)
    #expect(bob.listener.told.hasEstablished)
    return (alice, bob)
  }

  @Test(arguments: versions, [1, 7, .max])
  func anySplitOfTheInputGivesTheSame(_ version: TLSVersion, _ piece: Int) throws {
    let (alice, bob) = try ends(version)
    defer { [alice, bob].forEach { $0.close() } }
    try alice.connect()
    try bob.connect()
    alice.channel.writeAndFlush(ByteBuffer(string: "from alice"), promise: nil)
    bob.channel.writeAndFlush(ByteBuffer(string: "from bob"), promise: nil)
    try carry(alice, bob, piece: piece)
    let cipher = version == .v12 ? "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" : "TLS_AES_128_GCM_SHA256"
    let (a, b) = (try Known.alice.get(), try Known.bob.get())
    #expect(
      bob.listener.told == [
        .active,
        .established(PeerCertificate(spki: a.spki, certificate: a.certificate.der), version, cipher),
        .read(ByteBuffer(string: "from alice")),
      ])
    #expect(
      alice.listener.told == [
        .active,
        .established(PeerCertificate(spki: b.spki, certificate: b.certificate.der), version, cipher),
        .read(ByteBuffer(string: "from bob")),
      ])
  }

  @Test func anActiveChannelBeginsWhenTheHandlerIsAdded() throws {
    let channel = EmbeddedChannel()
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
    try channel.pipeline.syncOperations.addHandler(TLSHandler(.node(Known.alice.get(), role: .client)))
    let hello = try #require(try channel.readOutbound(as: ByteBuffer.self))
    #expect(hello.getInteger(at: 0, as: UInt8.self) == 22)
    _ = try channel.finish()
  }

  // MARK: The deadline

  @Test func aHandshakeThatNeverEndsIsEnded() throws {
    let (alice, bob) = try ends()
    try alice.connect()
    try bob.connect()
    let hello = try alice.sent()
    // Someone who says a little now and then is no better.
    for index in 0..<9 {
      bob.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
      try bob.receive(try #require(hello.getSlice(at: index, length: 1)))
    }
    #expect(bob.listener.told == [.active])
    bob.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(bob.listener.told == [.active, .error(.handshakeTimeout), .inactive])
    #expect(!bob.channel.isActive)
    alice.close()
  }

  @Test func theDeadlineIsForTheHandshakeOnly() throws {
    let (alice, bob) = try connected()
    defer { [alice, bob].forEach { $0.close() } }
    for end in [alice, bob] { end.channel.embeddedEventLoop.advanceTime(by: .hours(1)) }
    #expect(alice.channel.isActive && bob.channel.isActive)
    #expect(alice.listener.told.errors.isEmpty && bob.listener.told.errors.isEmpty)
  }

  // MARK: Writing

  @Test func writesWaitForTheHandshakeAndForAFlush() throws {
    let (alice, bob) = try ends()
    defer { [alice, bob].forEach { $0.close() } }
    let loop = alice.channel.embeddedEventLoop
    let promises = (0..<3).map { _ in loop.makePromise(of: Void.self) }
    var done: [Int] = []
    for (number, promise) in promises.enumerated() {
      promise.futureResult.assumeIsolated().whenSuccess { done.append(number) }
    }
    try alice.connect()
    try bob.connect()
    alice.channel.write(ByteBuffer(string: "one "), promise: promises[0])
    alice.channel.write(ByteBuffer(), promise: promises[1])
    alice.channel.flush()
    alice.channel.write(ByteBuffer(string: "two"), promise: promises[2])
    #expect(done.isEmpty)
    try carry(alice, bob)
    #expect(done.sorted() == [0, 1])
    #expect(bob.listener.told.bytes == ByteBuffer(string: "one "))
    alice.channel.flush()
    try carry(alice, bob)
    #expect(done.sorted() == [0, 1, 2])
    #expect(bob.listener.told.bytes == ByteBuffer(string: "one two"))
  }

  @Test func smallWritesShareARecord() throws {
    let (alice, bob) = try connected()
    defer { [alice, bob].forEach { $0.close() } }
    for _ in 0..<10 { alice.channel.write(ByteBuffer(repeating: 7, count: 100), promise: nil) }
    alice.channel.flush()
    let sent = try alice.sent()
    #expect(sent.readableBytes == 1000 + 22)
    try bob.receive(sent)
    #expect(bob.listener.told.bytes == ByteBuffer(repeating: 7, count: 1000))
  }

  @Test func orderIsKeptAcrossSizes() throws {
    let (alice, bob) = try connected()
    defer { [alice, bob].forEach { $0.close() } }
    var all = ByteBuffer()
    for (number, size) in [10, 16_380, 4, 5, 70_000, 0, 3, 16_384, 1, 200_000].enumerated() {
      let bytes = ByteBuffer(repeating: UInt8(number), count: size)
      all.writeImmutableBuffer(bytes)
      alice.channel.write(bytes, promise: nil)
    }
    alice.channel.flush()
    try carry(alice, bob)
    #expect(bob.listener.told.bytes == all)
  }

  @Test func everyWaiterIsToldOnceWhenTheHandshakeFails() throws {
    let (alice, _) = try ends()
    var failures: [String] = []
    for flushes in [true, false] {
      let promise = alice.channel.embeddedEventLoop.makePromise(of: Void.self)
      promise.futureResult.assumeIsolated().whenFailure { failures.append("\($0)") }
      alice.channel.write(ByteBuffer(string: "x"), promise: promise)
      if flushes { alice.channel.flush() }
    }
    try alice.connect()
    #expect(failures.isEmpty)
    try alice.receive(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"))
    #expect(failures.count == 2)
    #expect(alice.listener.told.errors == [.notTLS])
    #expect(throws: ChannelError.self) { try alice.channel.writeAndFlush(ByteBuffer(string: "x")).wait() }
  }

  @Test func everyWaiterIsToldWhenTheChannelIsClosedEarly() throws {
    let (alice, _) = try ends()
    try alice.connect()
    let write = alice.channel.writeAndFlush(ByteBuffer(string: "x"))
    try alice.channel.close().wait()
    #expect(throws: ChannelError.self) { try write.wait() }
    #expect(alice.listener.told == [.active, .inactive])
  }

  // MARK: Reading

  @Test func whatAReaderKeepsIsNotOverwritten() throws {
    let (alice, bob) = try connected()
    defer { [alice, bob].forEach { $0.close() } }
    for number in 0..<20 {
      alice.channel.writeAndFlush(ByteBuffer(repeating: UInt8(number), count: 1000), promise: nil)
      try carry(alice, bob)
    }
    let read = bob.listener.told.compactMap { if case .read(let bytes) = $0 { bytes } else { nil } }
    #expect(read == (0..<20).map { ByteBuffer(repeating: UInt8($0), count: 1000) })
  }

  @Test func nothingIsHandedToOneWhoCloses() throws {
    let (alice, bob) = try connected { told, channel in
      if case .read = told { channel.close(promise: nil) }
    }
    alice.channel.writeAndFlush(ByteBuffer(repeating: 1, count: TLSLimits.plaintextBytes * 2), promise: nil)
    try bob.receive(try alice.sent())
    #expect(bob.listener.told.bytes.readableBytes == TLSLimits.plaintextBytes)
    #expect(bob.listener.told.last == .inactive)
    #expect(bob.listener.told.errors.isEmpty)
    alice.close()
  }

  @Test func aPeerThatIsRefusedByItsKeyIsHandedNothing() throws {
    let (alice, bob) = try ends { told, channel in
      if told.isEstablished { channel.close(promise: nil) }
    }
    try alice.connect()
    try bob.connect()
    alice.channel.writeAndFlush(ByteBuffer(string: "let me in"), promise: nil)
    try bob.receive(try alice.sent())
    try alice.receive(try bob.sent())
    // The last of the handshake, and what was written, in one.
    try bob.receive(try alice.sent())
    #expect(bob.listener.told.bytes.readableBytes == 0)
    #expect(bob.listener.told.last == .inactive)
    alice.close()
  }

  @Test func whoReadsOnDemandIsNotForgotten() throws {
    let counter = ReadCounter()
    let bob = try End(.node(Known.bob.get(), role: .server), outermost: counter)
    let alice = try End(.node(Known.alice.get(), role: .client))
    defer { [alice, bob].forEach { $0.close() } }
    try alice.connect()
    try bob.connect()
    #expect(counter.reads > 0)
    try carry(alice, bob)
    alice.channel.writeAndFlush(ByteBuffer(string: "hello"), promise: nil)
    let ciphertext = try alice.sent()
    let before = counter.reads
    try bob.receive(try #require(ciphertext.getSlice(at: 0, length: 10)))
    #expect(counter.reads == before + 1)
    try bob.receive(try #require(ciphertext.getSlice(at: 10, length: ciphertext.readableBytes - 10)))
    #expect(bob.listener.told.bytes == ByteBuffer(string: "hello"))
    #expect(counter.reads == before + 1)
  }

  // MARK: The end

  @Test(arguments: versions)
  func aGoodbyeEndsTheChannelWithoutAnError(_ version: TLSVersion) throws {
    let (alice, bob) = try connected(version)
    alice.channel.writeAndFlush(ByteBuffer(string: "bye"), promise: nil)
    try alice.channel.close().wait()
    try carry(alice, bob)
    #expect(bob.listener.told.bytes == ByteBuffer(string: "bye"))
    #expect(bob.listener.told.last == .inactive)
    #expect(bob.listener.told.errors.isEmpty && alice.listener.told.errors.isEmpty)
    #expect(!bob.channel.isActive)
  }

  @Test func anAnswerToWhatCameBeforeTheGoodbyeIsSent() throws {
    let alice = try TLSSession(.node(Known.alice.get(), role: .client))
    let bob = try End(.node(Known.bob.get(), role: .server)) { told, channel in
      if case .read = told { channel.write(ByteBuffer(string: "answer"), promise: nil) }
    }
    try bob.channel.pipeline.syncOperations.addHandler(Flusher())
    try bob.connect()
    while try !alice.handshake() {
      if let bytes = alice.takeOutgoing() { try bob.receive(bytes) }
      alice.receive(try bob.sent())
    }
    try alice.write(ByteBuffer(string: "question"))
    alice.sayGoodbye()
    try bob.receive(try #require(alice.takeOutgoing()))
    #expect(!bob.channel.isActive)
    #expect(bob.listener.told.errors.isEmpty)
    alice.receive(try bob.sent())
    var plaintext = ByteBuffer()
    plaintext.reserveCapacity(100)
    #expect(try alice.read(into: &plaintext) == .ended)
    #expect(String(buffer: plaintext) == "answer")
  }

  @Test(arguments: versions)
  func anEndWithoutGoodbyeIsTold(_ version: TLSVersion) throws {
    let (alice, bob) = try connected(version)
    bob.channel.pipeline.fireChannelInactive()
    #expect(bob.listener.told.suffix(2) == [.error(.truncated), .inactive])
    [alice, bob].forEach { $0.close() }
  }

  @Test func anEndOfInputWithoutGoodbyeIsTold() throws {
    let (alice, bob) = try connected()
    bob.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    #expect(bob.listener.told.suffix(2) == [.error(.truncated), .inputClosed])
    [alice, bob].forEach { $0.close() }
  }

  @Test func anEndDuringTheHandshakeIsTold() throws {
    let (_, bob) = try ends()
    try bob.connect()
    bob.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    #expect(bob.listener.told.errors == [.handshakeEnded])
    #expect(!bob.channel.isActive)
  }

  @Test func aClientWithoutCertificateIsNobody() throws {
    let alice = try End(.upstream(host: "pi", trust: .insecure))
    let bob = try End(.node(Known.bob.get(), role: .server))
    try alice.connect()
    try bob.connect()
    try carry(alice, bob)
    guard case .established(let peer, _, _)? = bob.listener.told.first(where: { $0.isEstablished }) else {
      Issue.record("\(bob.listener.told)")
      return
    }
    #expect(peer == nil && bob.listener.told.errors.isEmpty && alice.listener.told.errors.isEmpty)
    [alice, bob].forEach { $0.close() }
  }

  @Test func aClientThatIsRefusedIsToldWhy() throws {
    let mallory = try Identity.generate(name: "mallory")
    let alice = try End(.node(Forged.identity(of: mallory, signedBy: Known.alice.get()), role: .client))
    let bob = try End(.node(Known.bob.get(), role: .server))
    try alice.connect()
    try bob.connect()
    try carry(alice, bob)
    #expect(bob.listener.told.errors == [.certificateRefused])
    #expect(!bob.listener.told.hasEstablished)
    // decrypt_error
    #expect(alice.listener.told.errors == [.alert(51)])
    #expect(!alice.channel.isActive && !bob.channel.isActive)
  }

  @Test func wrongInputEndsItsOwnChannelOnly() throws {
    let (alice, bob) = try connected()
    defer { [alice, bob].forEach { $0.close() } }
    let (_, victim) = try connected()
    try victim.receive(ByteBuffer(bytes: [23, 3, 3, 0, 20] + [UInt8](repeating: 0, count: 20)))
    #expect(victim.listener.told.errors == [.violation])
    #expect(!victim.channel.isActive)
    alice.channel.writeAndFlush(ByteBuffer(string: "unmoved"), promise: nil)
    try carry(alice, bob)
    #expect(bob.listener.told.bytes == ByteBuffer(string: "unmoved"))
  }
}

private final class ReadCounter: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  var reads = 0

  func read(context: ChannelHandlerContext) {
    reads += 1
    context.read()
  }
}

/// Flushes at the end of every read, as the handler of a stream does.
private final class Flusher: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  func channelReadComplete(context: ChannelHandlerContext) {
    context.flush()
    context.fireChannelReadComplete()
  }
}
