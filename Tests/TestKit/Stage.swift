import Codecs
package import HTTPX
import HTTPTypes
package import Logging
package import NIOCore
import NIOEmbedded
import NIOPosix
package import Streams
import Synchronization
package import XMPP

/// Where scripted peers meet a node's streams: in memory, where time passes when told, or over sockets on loopback.
package enum Stage: String, Sendable, CaseIterable {
  case memory, sockets
}

/// One that speaks in a scenario, whatever carries its bytes.
package protocol Speaker: Sendable {
  var transcript: Transcript { get }
  func send(_ text: String) async throws
  func hangUp() async throws
}

extension ScriptedPeer: Speaker {}

/// A node's streams and those who talk to them.
package final class Performance: Sendable {
  package let stage: Stage
  private let host: StreamHost
  private let loop = NIOAsyncTestingEventLoop()
  private let listener: StreamListener?
  private let started: AsyncStream<PeerStream>.Continuation
  private let running: AsyncStream<PeerStream>
  private let begun = Mutex(Begun())
  private let speakers = Mutex<[any Speaker]>([])

  private struct Begun {
    var streams: [PeerStream] = []
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private init(_ stage: Stage, _ host: StreamHost) async throws {
    self.stage = stage
    self.host = host
    (running, started) = AsyncStream.makeStream()
    switch stage {
    case .memory: listener = nil
    case .sockets:
      listener = try await StreamListener(
        port: nil, host: host, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: .silent)
    }
  }

  /// Runs `body` with streams that `host` answers on; ends them all afterwards.
  package static func run(
    on stage: Stage, host: StreamHost = .juliet(), _ body: (Performance) async throws -> Void
  ) async throws {
    let performance = try await Performance(stage, host)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await performance.play() }
      do {
        try await body(performance)
      } catch {
        await performance.end()
        group.cancelAll()
        throw error
      }
      await performance.end()
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  private func play() async {
    await withDiscardingTaskGroup { group in
      if let listener {
        group.addTask { for await stream in listener.streams { self.began(stream) } }
      }
      // In memory nothing runs by itself what the loop has told itself to do.
      if stage == .memory { group.addTask { await self.run(self.loop) } }
      for await stream in running { group.addTask { await stream.run() } }
      group.cancelAll()
    }
  }

  private func run(_ loop: NIOAsyncTestingEventLoop) async {
    while !Task.isCancelled {
      await loop.run()
      try? await Task.sleep(for: .milliseconds(5))
    }
  }

  private func began(_ stream: PeerStream) {
    let waiters = begun.withLock { begun in
      begun.streams.append(stream)
      defer { begun.waiters = [] }
      return begun.waiters
    }
    for waiter in waiters { waiter.resume() }
    started.yield(stream)
  }

  private func end() async {
    listener?.close()
    for stream in streams { stream.close() }
    // Else the streams would wait for their end tags.
    for speaker in speakers.withLock({ $0 }) { try? await speaker.hangUp() }
    if stage == .memory { await loop.advanceTime(by: .seconds(30)) }
    started.finish()
  }

  /// All that ever came in, in order.
  package var streams: [PeerStream] { begun.withLock { $0.streams } }

  /// The first that came in. It may have answered before anybody here has heard of it.
  package func first() async -> PeerStream {
    await withCheckedContinuation { continuation in
      let isThere = begun.withLock { begun in
        if begun.streams.isEmpty { begun.waiters.append(continuation) }
        return !begun.streams.isEmpty
      }
      if isThere { continuation.resume() }
    }
    return streams[0]
  }

  /// A new peer connects.
  package func connect() async throws -> any Speaker {
    let speaker = try await speaker()
    speakers.withLock { $0.append(speaker) }
    return speaker
  }

  private func speaker() async throws -> any Speaker {
    if let listener { return try await ScriptedPeer.connect(to: listener.port) }
    let channel = try await NIOAsyncTestingChannel(loop: loop) { channel in
      self.began(try PeerStream.accepted(channel, host: self.host, logger: .silent))
    }
    _ = try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
    return MemoryPeer(channel)
  }

  /// Lets time pass.
  ///
  /// - Throws: over sockets, where it passes by itself.
  package func pass(_ time: TimeAmount) async throws {
    guard stage == .memory else { throw Transcript.Failure("Time passes by itself over sockets.") }
    await loop.advanceTime(by: time)
  }
}

private final class MemoryPeer: Speaker {
  let transcript = Transcript()
  private let channel: NIOAsyncTestingChannel

  init(_ channel: NIOAsyncTestingChannel) {
    self.channel = channel
    let transcript = self.transcript
    channel.closeFuture.whenComplete { _ in transcript.close() }
    listen()
  }

  /// Each write is taken as it comes, by the test's own loop: no task is needed.
  private func listen() {
    let (channel, transcript) = (self.channel, self.transcript)
    channel.pipeline.addHandler(Eavesdropper(transcript), position: .first).whenFailure { _ in transcript.close() }
  }

  func send(_ text: String) async throws {
    try await channel.writeInbound(ByteBuffer(string: text))
  }

  func hangUp() async throws {
    try await channel.close()
  }
}

private final class Eavesdropper: ChannelOutboundHandler, Sendable {
  typealias OutboundIn = ByteBuffer
  private let transcript: Transcript

  init(_ transcript: Transcript) {
    self.transcript = transcript
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    transcript.append(unwrapOutboundIn(data).readableBytesView)
    promise?.succeed()
  }
}

extension Logger {
  package static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

extension StreamHost {
  package typealias Answer =
    @Sendable (IncomingRequest, (HTTPXResponse) async throws -> Void) async throws -> Void

  /// `juliet@pronto`, who has `nurse@pronto` beside her; gives back the body of each request unless told otherwise.
  /// - Parameters:
  ///   - admission: whom she takes her peers for.
  ///   - memory: what they may make her hold.
  ///   - security: her key.
  ///   - preference: how her bodies go beside their stanzas.
  package static func juliet(
    as admission: StreamAdmission = .stranger, memory: MemoryBudget = MemoryBudget(limit: MemoryBudget.standardLimit),
    security: StreamSecurity? = nil, preference: [BodyMechanism] = BodyMechanism.standard,
    answer: @escaping Answer = echo
  ) -> StreamHost {
    StreamHost(
      node: { .juliet }, isLocal: { [.juliet, .nurse].contains($0) },
      version: SoftwareVersion(name: "Hearth", version: "test"),
      info: { _ in
        DiscoInfo(
          identities: [.init(category: "client", type: "bot", name: "Hearth")],
          features: [Namespace.discoInfo, Namespace.http, Namespace.hearth], node: "urn:hearth:node")
      }, security: security, memory: memory, preference: preference, opened: { _, _ in admission }, answer: answer)
  }

  /// Reads the whole body first.
  package static let echo: Answer = { incoming, send in
    var whole = ByteBuffer()
    for try await part in incoming.request.body { whole.writeImmutableBuffer(part) }
    try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(whole)))
  }
}

extension JID {
  package static let juliet = JID("juliet@pronto")!
  package static let nurse = JID("nurse@pronto")!
  package static let romeo = JID("romeo@forza")!
}
