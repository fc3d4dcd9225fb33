import Bytestreams
import NIOCore
import Testing
import XML
import XMPP

/// Stanzas as they arrive, in a stream whose default namespace is `jabber:client`.
func elements(of xml: String) throws -> [Element] {
  let reader = XMLReader(limits: .established)
  var elements: [Element] = []
  let header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
  try reader.feed(ByteBuffer(string: header + xml)) { event in
    if case .element(let element) = event { elements.append(element) }
  }
  return elements
}

/// The payload of the one stanza in `xml`.
func payload(of xml: String) throws -> Element {
  guard let payload = try elements(of: xml).first?.elements.first else { throw NoPayload() }
  return payload
}

struct NoPayload: Error {}
struct Broken: Error {}

func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }
func bytes(count: Int, _ byte: UInt8 = 0x61) -> ByteBuffer { ByteBuffer(repeating: byte, count: count) }

func code(_ error: (any Error)?) -> String {
  switch error {
  case let error as BytestreamError: error.code.rawValue
  case is Broken: "broken"
  case nil: "well"
  default: "other"
  }
}

// Machines cannot be copied, and so cannot stand inside `#expect`.

func check<Value: Equatable>(_ actual: Value, _ expected: Value, at place: SourceLocation = #_sourceLocation) {
  #expect(actual == expected, sourceLocation: place)
}

func checkNil<Value>(_ actual: Value?, at place: SourceLocation = #_sourceLocation) {
  #expect(actual == nil, sourceLocation: place)
}

/// Where time does not matter.
extension IBBSenderMachine {
  static let nowhere = Path(roundTrip: nil, room: 0)

  mutating func write(_ bytes: ByteBuffer) -> WriteAction { write(bytes, now: .uptimeNanoseconds(0)) }
  mutating func finish(leavesOpen: Bool = false) -> FinishAction {
    finish(leavesOpen: leavesOpen, now: .uptimeNanoseconds(0))
  }
  mutating func opened(blockSize: Int? = nil, isHeld: Bool = false) -> ProgressAction {
    opened(blockSize: blockSize, isHeld: isHeld, now: .uptimeNanoseconds(0))
  }
  mutating func acknowledged(isHeld: Bool = false) -> ProgressAction {
    acknowledged(isHeld: isHeld, on: Self.nowhere, now: .uptimeNanoseconds(0))
  }
  mutating func resume() -> ProgressAction { resume(now: .uptimeNanoseconds(0)) }
}
