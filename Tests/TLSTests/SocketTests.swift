import NIOCore
import NIOPosix
import Testing

@testable import TLS

@Suite(.timeLimit(.minutes(1))) struct SocketTests {
  private func connected(
    isHalfClosable: Bool, newest: TLSVersion = .v13
  ) async throws -> (alice: SocketEnd, bob: SocketEnd, server: SocketServer) {
    let (a, b) = (try Known.alice.get(), try Known.bob.get())
    let server = try await SocketServer(
      SocketSetup(.node(b, role: .server, newest: newest), isHalfClosable: isHalfClosable))
    let alice = try await dial(
      server.port, SocketSetup(.node(a, role: .client, newest: newest), isHalfClosable: isHalfClosable))
    let bob = try await server.accepted()
    for end in [alice, bob] { #expect(await end.wait { $0.hasEstablished }.hasEstablished) }
    return (alice, bob, server)
  }

  @Test(arguments: [TLSVersion.v12, .v13])
  func eitherHalfEndsByItself(_ version: TLSVersion) async throws {
    let (alice, bob, server) = try await connected(isHalfClosable: true, newest: version)
    try await alice.say("my last words")
    try await alice.channel.close(mode: .output)
    let heard = await bob.wait { $0.last == .inputClosed }
    #expect(heard.bytes == ByteBuffer(string: "my last words"))
    #expect(heard.last == .inputClosed)
    try await bob.say("still talking")
    try await bob.say(", and done")
    try await bob.channel.close(mode: .output)
    let answer = await alice.waitForTheEnd()
    #expect(answer.bytes == ByteBuffer(string: "still talking, and done"))
    #expect(answer.errors.isEmpty)
    #expect(await bob.waitForTheEnd().errors.isEmpty)
    await #expect(throws: ChannelError.self) { try await alice.say("too late") }
    try await server.close()
  }

  @Test func aGoodbyeEndsBothWhereHalvesAreNotWanted() async throws {
    let (alice, bob, server) = try await connected(isHalfClosable: false)
    try await bob.say("bye")
    try await bob.channel.close()
    let heard = await alice.waitForTheEnd()
    #expect(heard.bytes == ByteBuffer(string: "bye"))
    #expect(heard.errors.isEmpty)
    #expect(await bob.waitForTheEnd().errors.isEmpty)
    try await server.close()
  }

  @Test(arguments: [true, false])
  func aCutConnectionIsToldAsSuch(_ isHalfClosable: Bool) async throws {
    let (alice, bob, server) = try await connected(isHalfClosable: isHalfClosable)
    try await bob.say("almost all")
    // Past the handler, which would say goodbye.
    let closing = bob.channel.pipeline.eventLoop.submit { [channel = bob.channel] in
      let context = try channel.pipeline.syncOperations.context(handlerType: TLSHandler.self)
      context.close(promise: nil)
    }
    try await closing.get()
    let heard = await alice.wait { !$0.errors.isEmpty }
    #expect(heard.bytes == ByteBuffer(string: "almost all"))
    #expect(heard.errors == [.truncated])
    alice.channel.close(promise: nil)
    #expect(await alice.waitForTheEnd().errors == [.truncated])
    try await server.close()
  }

  @Test func aPeerThatSaysNothingIsEnded() async throws {
    let configuration = try TLSConfiguration.node(Known.bob.get(), role: .server)
    let server = try await SocketServer(SocketSetup(configuration, timeout: .milliseconds(200)))
    let silent = try await dial(server.port, SocketSetup(nil))
    let bob = try await server.accepted()
    #expect(await bob.waitForTheEnd() == [.active, .error(.handshakeTimeout), .inactive])
    #expect(await silent.waitForTheEnd().last == .inactive)
    try await server.close()
  }

  @Test func tlsBeginsInTheMiddle() async throws {
    let server = try await SocketServer(SocketSetup(nil))
    let alice = try await dial(server.port, SocketSetup(nil))
    let bob = try await server.accepted()
    try await alice.say("<starttls/>")
    await bob.wait { $0.bytes.readableBytes == 11 }
    let (a, b) = (
      try TLSConfiguration.node(Known.alice.get(), role: .client),
      try TLSConfiguration.node(Known.bob.get(), role: .server)
    )
    // As a server does it: the last word in the clear, and TLS in the same tick.
    try await bob.channel.eventLoop.submit { [channel = bob.channel] in
      channel.writeAndFlush(ByteBuffer(string: "<proceed/>"), promise: nil)
      try channel.pipeline.syncOperations.addHandler(TLSHandler(b), position: .first)
    }.get()
    await alice.wait { $0.bytes.readableBytes == 10 }
    try await alice.channel.eventLoop.submit { [channel = alice.channel] in
      try channel.pipeline.syncOperations.addHandler(TLSHandler(a), position: .first)
      channel.writeAndFlush(ByteBuffer(string: "<stream>"), promise: nil)
    }.get()
    let heard = await bob.wait { $0.bytes.readableBytes == 19 }
    #expect(heard.bytes == ByteBuffer(string: "<starttls/><stream>"))
    #expect(heard.hasEstablished)
    try await alice.channel.close()
    #expect(await bob.waitForTheEnd().errors.isEmpty)
    try await server.close()
  }

  @Test func plaintextBehindTheLastWordIsNotTakenForGenuine() async throws {
    let (a, b) = (SocketSetup(nil), SocketSetup(try .node(Known.bob.get(), role: .server)))
    let server = try await SocketServer(b)
    let alice = try await dial(server.port, a)
    try await alice.say("<iq type='set' id='injected'/>")
    let heard = await (try await server.accepted()).waitForTheEnd()
    #expect(heard.bytes.readableBytes == 0)
    #expect(heard.errors == [.notTLS])
    try await server.close()
  }
}
