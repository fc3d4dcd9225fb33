import HTTPTypes
import NIOCore
import Testing

@testable import HTTPEdge

struct ClientMachineTests {
  private let start = NIODeadline.uptimeNanoseconds(1)

  private func machine(uploading: Bool = false) -> ClientMachine {
    var machine = ClientMachine(responseTime: .seconds(60), idleTime: .seconds(4))
    #expect(machine.started(1, uploading: uploading, now: start) == true)
    return machine
  }

  private func part(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

  @Test func aSmallAnswerIsToldAsAWhole() {
    var machine = machine()
    #expect(machine.deadline == start + .seconds(60))
    machine.received(HTTPResponse(status: .ok), keepAlive: true)
    #expect(machine.received(part("a")).name == "")
    #expect(machine.received(part("b")).name == "")
    #expect(machine.receivedEnd(now: start).name == "answer 200 ab release")
    #expect(machine.readCompleted().name == "")
    #expect(machine.deadline == start + .seconds(4))
    #expect(machine.started(2, uploading: false, now: start) == true)
  }

  @Test func aLongOneIsOpenedAtTheEndOfTheRead() {
    var machine = machine()
    machine.received(HTTPResponse(status: .ok), keepAlive: true)
    _ = machine.received(part("a"))
    #expect(machine.readCompleted().name == "open 200 a")
    #expect(machine.deadline == nil, "a body may take for ever")
    #expect(machine.readCompleted().name == "")
    #expect(machine.received(part("b")).name == "")
    #expect(machine.readCompleted().name == "part b")
    #expect(machine.received(part("c")).name == "")
    #expect(machine.receivedEnd(now: start).name == "end c release")
  }

  @Test func aHeadAloneIsOpenedAtOnce() {
    var machine = machine()
    machine.received(HTTPResponse(status: .ok), keepAlive: true)
    #expect(machine.readCompleted().name == "open 200 -")
    #expect(machine.receivedEnd(now: start).name == "end - release")
  }

  @Test func partsAreJoinedUpToAPartAndNoFurther() {
    var machine = machine()
    let large = ByteBuffer(repeating: 0x61, count: 60 * 1024)
    machine.received(HTTPResponse(status: .ok), keepAlive: true)
    _ = machine.received(large)
    guard case .open(_, let first) = machine.received(large) else { Issue.record("not opened"); return }
    #expect(first == large)
    guard case .part(let second) = machine.received(part("x")).asPart ?? machine.readCompleted() else { return }
    #expect(second.readableBytes == large.readableBytes + 1)
  }

  @Test(arguments: [true, false]) func anUnfinishedRequestEndsTheConnection(_ keepAlive: Bool) {
    var machine = machine(uploading: keepAlive)
    #expect(machine.deadline == nil || !keepAlive)
    machine.received(HTTPResponse(status: .contentTooLarge), keepAlive: keepAlive)
    #expect(machine.receivedEnd(now: start).name == "answer 413  close")
    #expect(machine.started(2, uploading: false, now: start) == false)
    #expect(!machine.isUploading(1))
  }

  @Test func theClockRunsFromTheEndOfTheRequest() {
    var machine = machine(uploading: true)
    _ = machine.uploaded(1, now: start + .seconds(100))
    #expect(machine.deadline == start + .seconds(160))
    #expect(!machine.isUploading(1))
  }

  @Test func oneThatIsNeverUsedHasADeadlineToo() {
    var machine = ClientMachine(responseTime: .seconds(60), idleTime: .seconds(4))
    #expect(machine.deadline == nil, "TLS has its own")
    machine.opened(now: start)
    #expect(machine.deadline == start + .seconds(4) && machine.isIdle)
    _ = machine.started(1, uploading: true, now: start)
    #expect(machine.deadline == nil && !machine.isIdle)
  }

  @Test func failureTellsWhoWaitsExactlyOnce() {
    var waiting = machine()
    #expect(waiting.failed().name == "head untouched")
    #expect(waiting.failed().name == "-")
    var held = machine()
    held.received(HTTPResponse(status: .ok), keepAlive: true)
    #expect(held.failed().name == "head touched")
    var streaming = machine()
    streaming.received(HTTPResponse(status: .ok), keepAlive: true)
    _ = streaming.readCompleted()
    #expect(streaming.failed().name == "body")
    #expect(streaming.receivedEnd(now: start).name == "")
    #expect(streaming.failed().name == "-")
  }

  @Test func leavingEarlyCloses() {
    var machine = machine()
    #expect(machine.left(7) == false, "another exchange's reader")
    #expect(machine.left(1) == true)
    #expect(machine.left(1) == false)
    var done = self.machine()
    done.received(HTTPResponse(status: .ok), keepAlive: true)
    _ = done.receivedEnd(now: start)
    #expect(done.left(1) == false, "all is there: the connection is another's")
  }
}

extension ClientMachine.Action {
  fileprivate var name: String {
    func text(_ bytes: ByteBuffer?) -> String { bytes.map { String(buffer: $0) } ?? "-" }
    return switch self {
    case .none: ""
    case .answer(let head, let bytes, let fate): "answer \(head.status.code) \(text(bytes)) \(fate)"
    case .open(let head, let bytes): "open \(head.status.code) \(text(bytes))"
    case .part(let bytes): "part \(text(bytes))"
    case .end(let bytes, let fate): "end \(text(bytes)) \(fate)"
    }
  }

  fileprivate var asPart: Self? {
    if case .part = self { self } else { nil }
  }
}

extension ClientMachine.Failure {
  fileprivate var name: String {
    switch self {
    case .unnoticed: "-"
    case .head(let untouched): untouched ? "head untouched" : "head touched"
    case .body: "body"
    }
  }
}
