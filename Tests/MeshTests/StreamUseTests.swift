import Codecs
import HTTPTypes
import HTTPX
import Logging
import Mesh
import NIOCore
import Streams
import Synchronization
import TestKit
import Testing
import Trust
import XMPP

/// How a node uses streams: dials, shares, replaces and retries.
@Suite(.timeLimit(.minutes(2))) struct StreamUseTests {
  @Test func aRequestThatIsSafeToRepeatIsRepeatedOnce() async throws {
    let link = Link()
    try await Nodes.run(["laptop"], on: link) { nodes in
      let device = try await ScriptedDevice(on: link)
      _ = await nodes[0].awaitOnline("lamp@attic")
      async let answer = nodes[0].fetch(ScriptedDevice.jid)
      // Hangs up over the request, as one does that found the stream idle at that moment.
      let first = try await device.accept()
      _ = try await first.takesRequest()
      try await first.hangUp()
      let second = try await device.accept()
      try await second.answers(try await second.takesRequest(), "second")
      #expect(try await answer == ByteBuffer(string: "second"))
      // And no more than once.
      async let failure = Self.failure { try await nodes[0].fetch(ScriptedDevice.jid) }
      _ = try await second.takesRequest()
      try await second.hangUp()
      let third = try await device.accept()
      _ = try await third.takesRequest()
      try await third.hangUp()
      #expect(await failure?.code == .connectionLost)
    }
  }

  @Test func othersFailAndSayWhy() async throws {
    let link = Link()
    try await Nodes.run(["laptop"], on: link) { nodes in
      let device = try await ScriptedDevice(on: link)
      _ = await nodes[0].awaitOnline("lamp@attic")
      let body = Body(ByteBuffer(string: "x"))
      async let failure = Self.failure { try await nodes[0].fetch(ScriptedDevice.jid, .make(.post, body: body)) }
      let peer = try await device.accept()
      _ = try await peer.takesRequest()
      try await peer.hangUp()
      let error = await failure
      #expect(error?.code == .connectionLost)
      #expect(error?.message.contains("lamp@attic") == true)
      // The next one dials anew.
      async let answer = nodes[0].fetch(ScriptedDevice.jid, .make(.post, body: body))
      let next = try await device.accept()
      try await next.answers(try await next.takesRequest(), "ok")
      #expect(try await answer == ByteBuffer(string: "ok"))
    }
  }

  @Test func manyRequestsAtOnceDialOnce() async throws {
    let link = Link()
    try await Nodes.run(["laptop"], on: link) { nodes in
      let device = try await ScriptedDevice(on: link)
      _ = await nodes[0].awaitOnline("lamp@attic")
      try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
        for _ in 1...20 { group.addTask { try await nodes[0].fetch(ScriptedDevice.jid) } }
        let peer = try await device.accept()
        for _ in 1...20 { try await peer.answers(try await peer.takesRequest(), "yes") }
        for try await answer in group { #expect(answer == ByteBuffer(string: "yes")) }
      }
      #expect(nodes[0].status().streams == 1)
    }
  }

  @Test func oneWhoNoLongerWaitsGoesAtOnceWhileOthersStay() async throws {
    let link = Link()
    try await Nodes.run(["laptop"], on: link) { nodes in
      let device = try await ScriptedDevice(on: link)
      _ = await nodes[0].awaitOnline("lamp@attic")
      async let answer = nodes[0].fetch(ScriptedDevice.jid)
      // Connected, without a header yet.
      let peer = try await device.listener.accept()
      let start = ContinuousClock.now
      // Before it waits, while it begins to, and long after.
      for turns in 0..<30 {
        let impatient = Task { try await nodes[0].fetch(ScriptedDevice.jid) }
        for _ in 0..<turns * turns { await Task.yield() }
        impatient.cancel()
        await #expect(throws: CancellationError.self) { _ = try await impatient.value }
      }
      #expect(ContinuousClock.now - start < .seconds(5))
      try await peer.send(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
          + "<stream:features><query xmlns='http://jabber.org/protocol/disco#info'>"
          + "<feature var='urn:xmpp:http'/></query></stream:features>")
      try await peer.answers(try await peer.takesRequest(), "patience")
      #expect(try await answer == ByteBuffer(string: "patience"))
    }
  }

  @Test func nodesMayDialEachOtherAtTheSameTime() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      for node in nodes { node.serve(.echo()) }
      _ = await nodes[0].awaitOnline("echo@pi")
      _ = await nodes[1].awaitOnline("echo@laptop")
      let body = ByteBuffer(repeating: 1, count: 200_000)
      try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
        for index in 0..<20 {
          let (node, jid) = index.isMultiple(of: 2) ? (nodes[0], "echo@pi") : (nodes[1], "echo@laptop")
          group.addTask { try await node.fetch(JID(jid)!, .make(.put, body: Body(body))) }
        }
        for try await answer in group { #expect(answer == body) }
      }
      #expect(nodes.map { $0.status().streams } == [1, 1])
    }
  }

  @Test func smallRequestsPassALargeOne() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      nodes[1].serve(.echo())
      nodes[1].serve(
        .answering("big") { _, _, send in
          let part = ByteBuffer(repeating: 2, count: 65536)
          let (parts, continuation) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
          for _ in 0..<1024 { continuation.yield(part) }
          continuation.finish()
          try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(parts)))
        })
      _ = await nodes[0].awaitOnline("echo@pi")
      _ = await nodes[0].awaitOnline("big@pi")
      // One stream for both devices: whichever is asked, the small ones share it with the large one.
      for name in ["echo@pi", "big@pi"] {
        let received = Counter()
        let (begun, begin) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        try await nodes[0].send(.make(), to: JID("big@pi")!) { response in
          let body = response.body
          try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
              defer { begin.finish() }
              for try await part in body {
                received.add(part.readableBytes)
                begin.yield()
              }
            }
            for await _ in begun { break }
            try await withThrowingTaskGroup(of: Void.self) { small in
              for _ in 1...32 {
                small.addTask {
                  try await nodes[0].send(.make(.head), to: JID(name)!) { _ in }
                }
              }
              try await small.waitForAll()
            }
            #expect(received.value < 64 << 20, "\(name): the small ones had to wait for all of the large one")
            try await group.waitForAll()
          }
        }
        #expect(received.value == 64 << 20)
      }
    }
  }

  @Test func aSourceThatBreaksIsAnErrorForTheRequester() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      nodes[1].serve(
        .answering("broken") { _, _, send in
          let (parts, continuation) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
          continuation.yield(ByteBuffer(repeating: 3, count: 100_000))
          continuation.finish(throwing: Gone())
          try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(parts)))
        })
      nodes[1].serve(.answering("refusing") { _, _, _ in throw Gone() })
      _ = await nodes[0].awaitOnline("broken@pi")
      _ = await nodes[0].awaitOnline("refusing@pi")
      await #expect(throws: (any Error).self) { _ = try await nodes[0].fetch(JID("broken@pi")!) }
      try await nodes[0].send(.make(), to: JID("refusing@pi")!) { response in
        #expect(response.head.status == .internalServerError)
      }
    }
  }

  @Test func aBodyThatBreaksWhileItIsUploadedIsNoShortBody() async throws {
    let (results, result) = AsyncStream.makeStream(of: Bool.self)
    try await Nodes.run(["laptop", "pi"]) { nodes in
      nodes[1].serve(
        .answering("sink") { request, _, send in
          do {
            for try await _ in request.body {}
            result.yield(true)
          } catch {
            result.yield(false)
            throw error
          }
          try await send(HTTPXResponse(HTTPResponse(status: .ok)))
        })
      _ = await nodes[0].awaitOnline("sink@pi")
      let (parts, continuation) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
      continuation.yield(ByteBuffer(repeating: 3, count: 100_000))
      continuation.finish(throwing: Gone())
      // What the other side says to that is its answer.
      try? await nodes[0].send(.make(.put, body: Body(parts)), to: JID("sink@pi")!) { response in
        #expect(response.head.status == .internalServerError)
      }
      var first = results.makeAsyncIterator()
      #expect(await first.next() == false)
    }
  }

  /// A caller whose stream ends takes its body with it: nothing that the owner of the service could see to.
  @Test func onlyWhatAServiceDoesItselfIsItsError() async throws {
    let errors: [(any Error, Logger.Level)] = [
      (StreamFailure.closed("the connection broke."), .debug), (StreamFailure.incomplete("it broke off"), .debug),
      (Gone(), .error),
    ]
    for (error, level) in errors {
      let log = LogRecorder()
      try await Nodes.run(["pi"], logger: log.logger) { nodes in
        nodes[0].serve(.answering("app") { _, _, _ in throw error })
        _ = await nodes[0].standing(of: "app", within: .seconds(5))
        try await nodes[0].send(.make(), to: try #require(JID("app@pi"))) { response in
          #expect(response.head.status == .internalServerError)
        }
        #expect(try await log.line("handler failed", with: ["service": "app"]).level == level)
      }
    }
  }

  @Test func aCallerIsWhoItsStreamSays() async throws {
    let callers = Mutex<[Caller]>([])
    try await Nodes.run(["pi"]) { nodes in
      nodes[0].serve(
        .answering("door") { _, caller, send in
          callers.withLock { $0.append(caller) }
          try await send(HTTPXResponse(HTTPResponse(status: .ok)))
        })
      _ = await nodes[0].awaitOnline("door@pi")
      let peer = try await ScriptedPeer.connect(to: nodes[0].status().port)
      try await peer.greet(as: "mallory", to: "door@pi")
      try await peer.send(
        "<iq type='set' id='1' from='alice@forza'><req xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1'/></iq>"
      )
      try await peer.expect("statusCode='200'")
      try await peer.hangUp()
    }
    #expect(callers.withLock { $0.map(\.jid) } == [JID("mallory@forza")])
    #expect(callers.withLock { $0.map(\.standing) } == [.plaintext])
  }

  @Test func aNodeThatServesNothingSaysSo() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      _ = await nodes[0].awaitOnline("node@pi")
      let failure = await Self.failure { try await nodes[0].fetch(JID("node@pi")!) }
      #expect(failure?.code == .notHTTP)
      #expect(nodes[0].device(JID("node@pi")!)?.http == false)
    }
  }

  private struct Gone: Error {}

  private static func failure<Value>(_ body: () async throws -> Value) async -> MeshError? {
    do {
      _ = try await body()
      return nil
    } catch {
      return error as? MeshError
    }
  }
}

private final class Counter: Sendable {
  private let count = Mutex(0)

  var value: Int { count.withLock { $0 } }

  func add(_ number: Int) { count.withLock { $0 += number } }
}
