import Codecs
import Control
import Dashboard

/// What passes through a node as people read it. Values come from the link.
enum TraceText {
  static func lines(_ event: TraceResource) -> [String] {
    let stanza = event.stanza.map {
      "\(LocalTime.clock(event.time))  \($0.direction == "sent" ? "→" : "←") \(Printable.clean($0.peer))  \(Printable.clean($0.xml))"
    }
    return [stanza, event.request.map(line)].compactMap { $0 }
  }

  /// `14:03:22  served anna → tv@pi  GET /a  200  1.2 KiB  15 ms  mfzwizltmnuxk`
  static func line(_ request: RequestResource) -> String {
    let who = request.who.map { "\(Printable.clean($0)) → " } ?? ""
    let outcome = [request.status.map(String.init), request.failure.map(Printable.clean)].compactMap { $0 }
    return
      "\(LocalTime.clock(request.time))  \(request.side) \(who)\(Printable.clean(request.device))  \(Printable.clean(request.method)) "
      + "\(Printable.clean(request.path))  \(outcome.joined(separator: " "))  "
      + "\(ByteCount.text(request.requestBytes + request.responseBytes))  \(ElapsedTime.text(seconds: request.seconds))  \(request.id)"
  }
}
