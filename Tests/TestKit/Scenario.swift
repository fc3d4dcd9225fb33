import NIOCore
import Streams

/// A play for peers and a node named Juliet, as text:
///
///     Romeo connects
///     Romeo sends
///       <iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>
///     Romeo receives
///       <iq … type='result' id='1'/>
///     121 s pass
///     Romeo is disconnected
///
/// What is sent or received is indented; its lines are put together without their indentation and line ends. In what is
/// received `…` stands for anything. `Romeo greets` connects, sends a header, and takes what answers it. Lines that begin with
/// `#` are comments. When it is over, another peer comes and makes a request, and nothing may be left of the others'.
package struct Scenario: Sendable {
  fileprivate enum Verb {
    case connects, greets, sends(String), receives(String), hangsUp, isDisconnected
  }

  fileprivate enum Step {
    case peer(String, Verb)
    case pass(TimeAmount)
  }

  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  private let steps: [(line: Int, step: Step)]

  /// - Throws: `Failure` with the line that means nothing.
  package init(_ text: String) throws {
    var steps: [(Int, Step)] = []
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { ($0 + 1, $1) }[...]
    while let (number, line) = lines.popFirst() {
      guard !line.allSatisfy(\.isWhitespace), !line.hasPrefix("#") else { continue }
      var payload = ""
      while let (_, next) = lines.first, next.first == " " {
        payload += next.drop(while: \.isWhitespace)
        lines.removeFirst()
      }
      guard let step = Step(line.split(separator: " ").map(String.init), payload) else {
        throw Failure(description: "Line \(number) is no step: \(line)")
      }
      steps.append((number, step))
    }
    self.steps = steps
  }

  /// Where time has to pass it can be played in memory only.
  package var hasTime: Bool {
    steps.contains { if case .pass = $0.step { true } else { false } }
  }

  /// - Throws: `Failure` with the step that did not go as it should.
  package func play(in performance: Performance) async throws {
    var speakers: [String: any Speaker] = [:]
    for (line, step) in steps {
      do {
        switch step {
        case .pass(let time): try await performance.pass(time)
        case .peer(let name, let verb): try await Self.play(verb, name, &speakers, performance)
        }
      } catch {
        throw Failure(description: "Line \(line): \(error)")
      }
    }
    try await Self.finale(performance)
  }

  private static func play(
    _ verb: Verb, _ name: String, _ speakers: inout [String: any Speaker], _ performance: Performance
  ) async throws {
    switch verb {
    case .connects: speakers[name] = try await performance.connect()
    case .greets:
      let speaker = try await performance.connect()
      speakers[name] = speaker
      try await speaker.greet(as: name.lowercased())
    case .sends(let text): try await known(name, speakers).send(text)
    case .receives(let text):
      for part in text.split(separator: "…") {
        try await known(name, speakers).transcript.expect(String(part))
      }
    case .hangsUp: try await known(name, speakers).hangUp()
    case .isDisconnected: try await known(name, speakers).transcript.expectClose()
    }
  }

  private static func known(_ name: String, _ speakers: [String: any Speaker]) throws -> any Speaker {
    guard let speaker = speakers[name] else { throw Failure(description: "\(name) has not connected.") }
    return speaker
  }

  /// Whatever happened, others are served, and nothing is left of it.
  private static func finale(_ performance: Performance) async throws {
    let streams = performance.streams
    let paris = try await performance.connect()
    try await paris.greet(as: "paris")
    try await paris.send(
      "<iq type='set' id='last'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>"
        + "<data><text>still there?</text></data></req></iq>")
    try await paris.transcript.expect("type='result' id='last'>")
    for stream in streams where !stream.isOpen {
      try await stream.idle()
    }
  }
}

extension Scenario.Step {
  fileprivate init?(_ words: [String], _ payload: String) {
    switch (words.first ?? "", words.dropFirst().joined(separator: " ")) {
    case (let seconds, "s pass"):
      guard let seconds = Double(seconds) else { return nil }
      self = .pass(.milliseconds(Int64(seconds * 1000)))
    case (let name, "connects"): self = .peer(name, .connects)
    case (let name, "greets"): self = .peer(name, .greets)
    case (let name, "sends"): self = .peer(name, .sends(payload))
    case (let name, "receives"): self = .peer(name, .receives(payload))
    case (let name, "hangs up"): self = .peer(name, .hangsUp)
    case (let name, "is disconnected"): self = .peer(name, .isDisconnected)
    default: return nil
    }
  }
}

extension Speaker {
  /// The header of an XMPP 1.0 peer, and what answers it.
  package func greet(as name: String = "romeo", to: String = "juliet@pronto") async throws {
    try await send(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        + "from='\(name)@forza' to='\(to)' version='1.0'>")
    try await transcript.expect("</stream:features>")
  }
}
