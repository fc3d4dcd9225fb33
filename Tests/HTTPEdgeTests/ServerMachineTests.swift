import HTTPTypes
import NIOCore
import Testing

@testable import HTTPEdge

struct ServerMachineTests {
  private func machine() -> ServerMachine {
    ServerMachine(
      idleTime: .seconds(10), headTime: .seconds(3), halfClosedTime: .seconds(60), now: .uptimeNanoseconds(0))
  }

  private func traits(
    head: Bool = false, http10: Bool = false, keeps: Bool = true, expects: Bool = false
  ) -> ServerMachine.RequestTraits {
    ServerMachine.RequestTraits(isHead: head, isHTTP10: http10, keepsAlive: keeps, expects: expects)
  }

  private func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 0x61, count: count) }

  /// The head as it is written, and whether the end of the response is the connection's.
  private func write(
    _ traits: ServerMachine.RequestTraits, _ status: HTTPResponse.Status, _ fields: HTTPFields, body: Int
  ) -> String {
    var machine = machine()
    #expect(machine.received(traits) == true)
    guard case .write(let head) = machine.writing(HTTPResponse(status: status, headerFields: fields)) else {
      return "-"
    }
    var text = head.headerFields.map { "\($0.name.rawName.lowercased())=\($0.value)" }.joined(separator: " ")
    if body > 0 {
      switch machine.writing(bytes(body)) {
      case .write: text += " body"
      case .skip: text += " no-body"
      case .abort, .writeLast: return text + " abort"
      }
    }
    switch machine.writingEnd(now: .uptimeNanoseconds(0)) {
    case .write: return text
    case .writeLast: return text + " last"
    case .abort, .skip: return text + " abort"
    }
  }

  @Test func framing() {
    #expect(write(traits(), .ok, [.contentLength: "3"], body: 3) == "content-length=3 body")
    #expect(write(traits(), .ok, [:], body: 3) == "transfer-encoding=chunked body")
    #expect(write(traits(), .ok, [:], body: 0) == "transfer-encoding=chunked")
    #expect(write(traits(http10: true), .ok, [:], body: 3) == "connection=close body last")
    #expect(
      write(traits(http10: true), .ok, [.contentLength: "3"], body: 3) == "content-length=3 connection=keep-alive body")
    #expect(write(traits(head: true), .ok, [.contentLength: "9"], body: 0) == "content-length=9")
    #expect(write(traits(head: true), .ok, [:], body: 0) == "")
    #expect(write(traits(head: true), .ok, [.contentLength: "9"], body: 9) == "content-length=9 no-body")
    #expect(write(traits(), .noContent, [:], body: 0) == "")
    #expect(write(traits(), .notModified, [.contentLength: "9"], body: 0) == "content-length=9")
    #expect(write(traits(), .resetContent, [.contentLength: "0"], body: 0) == "content-length=0")
    #expect(write(traits(), .ok, [.transferEncoding: "gzip", .contentLength: "1"], body: 1) == "content-length=1 body")
  }

  @Test func aBodyIsNeverShorterOrLongerThanItsLength() {
    #expect(write(traits(), .ok, [.contentLength: "3"], body: 2).hasSuffix("abort"))
    #expect(write(traits(), .ok, [.contentLength: "3"], body: 4).hasSuffix("abort"))
    // What nobody could understand goes no further.
    #expect(write(traits(), .ok, [.contentLength: "x"], body: 4) == "transfer-encoding=chunked body")
    #expect(write(traits(), .ok, [.contentLength: "3, 3"], body: 3) == "content-length=3 body")
    #expect(write(traits(), .ok, [.contentLength: "3, 4"], body: 3) == "transfer-encoding=chunked body")
    #expect(write(traits(head: true), .ok, [.contentLength: "9, 9"], body: 0) == "content-length=9")
    #expect(write(traits(head: true), .ok, [.contentLength: ""], body: 0) == "")
    #expect(write(traits(), .notModified, [.contentLength: "9,9"], body: 0) == "content-length=9")
    #expect(write(traits(), .noContent, [.contentLength: "0"], body: 0) == "")
  }

  @Test func endings() {
    #expect(
      write(traits(keeps: false), .ok, [.contentLength: "0"], body: 0) == "content-length=0 connection=close last")
    #expect(
      write(traits(), .ok, [.contentLength: "0", .connection: "x, Close"], body: 0)
        == "content-length=0 connection=close last")
    #expect(
      write(traits(expects: true), .ok, [.contentLength: "0"], body: 0) == "content-length=0 connection=close last",
      "the body that was not asked for may still come, or not")
  }

  @Test func continueIsSaidOnceAndOnlyToWhoWaits() {
    var machine = machine()
    _ = machine.received(traits(expects: true))
    _ = machine.received(traits())
    guard case .write = machine.writing(HTTPResponse(status: .continue)) else { Issue.record("unsaid"); return }
    guard case .skip = machine.writing(HTTPResponse(status: .continue)) else { Issue.record("twice"); return }
    guard case .write(let head) = machine.writing(HTTPResponse(status: .ok)) else { Issue.record("no head"); return }
    #expect(head.headerFields[.connection] == nil)
    guard case .abort = machine.writing(HTTPResponse(status: .continue)) else { Issue.record("late"); return }
  }

  @Test func pipelinedRequestsAreAnsweredInOrder() {
    var machine = machine()
    _ = machine.received(traits(head: true))
    _ = machine.received(traits())
    #expect(machine.deadline == nil)
    _ = machine.writing(HTTPResponse(status: .ok, headerFields: [.contentLength: "5"]))
    guard case .write = machine.writingEnd(now: .uptimeNanoseconds(0)) else { Issue.record("HEAD"); return }
    #expect(machine.deadline == nil)
    _ = machine.writing(HTTPResponse(status: .ok, headerFields: [.contentLength: "1"]))
    guard case .write = machine.writing(bytes(1)) else { Issue.record("GET"); return }
    _ = machine.writingEnd(now: .uptimeNanoseconds(5))
    #expect(machine.deadline == .uptimeNanoseconds(5) + .seconds(10))
  }

  @Test func aHeadHasItsTimeFromItsFirstByte() {
    var machine = machine()
    #expect(machine.idleSince == .uptimeNanoseconds(0), "from the first moment on")
    #expect(machine.deadline == .uptimeNanoseconds(0) + .seconds(10))
    machine.headBegan(now: .uptimeNanoseconds(5))
    machine.headBegan(now: .uptimeNanoseconds(6))
    #expect(machine.deadline == .uptimeNanoseconds(5) + .seconds(3))
    #expect(machine.idleSince == .uptimeNanoseconds(0), "half a head is no request")
    _ = machine.received(traits())
    #expect(machine.deadline == nil && machine.idleSince == nil)
    machine.headBegan(now: .uptimeNanoseconds(7))
    #expect(machine.deadline == nil, "the next one waits for this one's answer")
    _ = machine.writing(HTTPResponse(status: .ok, headerFields: [.contentLength: "0"]))
    _ = machine.writingEnd(now: .uptimeNanoseconds(8))
    #expect(machine.idleSince == .uptimeNanoseconds(8))
    #expect(machine.deadline == .uptimeNanoseconds(8) + .seconds(10))
    machine.headBegan(now: .uptimeNanoseconds(8) + .seconds(9))
    #expect(machine.deadline == .uptimeNanoseconds(8) + .seconds(10), "no longer than without")
  }

  @Test func shutdownLetsTheLastResponseOut() {
    var machine = machine()
    _ = machine.received(traits())
    #expect(machine.quiesce() == false)
    guard case .write(let head) = machine.writing(HTTPResponse(status: .ok, headerFields: [.contentLength: "0"]))
    else { Issue.record("no head"); return }
    #expect(head.headerFields[.connection] == "close")
    guard case .writeLast = machine.writingEnd(now: .uptimeNanoseconds(0)) else { Issue.record("open"); return }
    #expect(machine.received(traits()) == false)
    var idle = self.machine()
    #expect(idle.quiesce() == true)
  }

  @Test func partsOutOfPlaceBreakTheConnection() {
    var machine = machine()
    guard case .abort = machine.writing(HTTPResponse(status: .ok)) else { Issue.record("no request"); return }
    guard case .abort = machine.writing(bytes(1)) else { Issue.record("no head"); return }
    guard case .abort = machine.writingEnd(now: .uptimeNanoseconds(0)) else { Issue.record("no head"); return }
    _ = machine.received(traits())
    _ = machine.writing(HTTPResponse(status: .ok))
    guard case .abort = machine.writing(HTTPResponse(status: .ok)) else { Issue.record("two heads"); return }
  }
}
