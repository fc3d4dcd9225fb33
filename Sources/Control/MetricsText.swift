import Mesh

/// A node's numbers in the text format of Prometheus, version 0.0.4.
enum MetricsText {
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  static func text(_ node: NodeMetrics, _ process: ProcessMetrics, version: String) -> String {
    var text = ""
    func family(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: String)]) {
      text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
      for sample in samples { text += "\(name)\(sample.labels) \(sample.value)\n" }
    }
    func gauge(_ name: String, _ help: String, _ value: Int) { family(name, "gauge", help, [("", "\(value)")]) }

    family("hearth_build_info", "gauge", "The version, as a label.", [(labels(("version", version)), "1")])
    let kinds = kinds(node.tallies)
    family(
      "hearth_requests_total", "counter", "Requests that have ended, by status class; none: no answer of HTTP's.",
      kinds.flatMap { kind in
        kind.tally.byClass.enumerated().filter { $1 > 0 }.map { digit, count in
          (
            labels(("side", kind.side), ("service", kind.service), ("class", digit == 0 ? "none" : "\(digit)xx")),
            "\(count)"
          )
        }
      })
    text += histogram(kinds)
    family(
      "hearth_request_body_bytes_total", "counter", "Bytes of the bodies of requests.",
      kinds.map { (labels(("side", $0.side), ("service", $0.service)), "\($0.tally.requestBytes)") })
    family(
      "hearth_response_body_bytes_total", "counter", "Bytes of the bodies of responses.",
      kinds.map { (labels(("side", $0.side), ("service", $0.service)), "\($0.tally.responseBytes)") })
    gauge("hearth_requests_in_progress", "Requests without a whole answer.", node.requests)
    gauge("hearth_transfers", "Requests whose bodies are passed on in parts.", node.transfers)
    family(
      "hearth_streams", "gauge", "Open XMPP streams.",
      [
        (labels(("direction", "out")), "\(node.dialledStreams)"),
        (labels(("direction", "in")), "\(node.incomingStreams)"),
      ])
    gauge("hearth_friends", "Friends of this node.", node.friends)
    family(
      "hearth_refusals_total", "counter", "Streams and requests that were refused.",
      node.refusals.sorted { $0.key < $1.key }.map { (labels(("reason", $0.key)), "\($0.value)") })
    family(
      "hearth_devices", "gauge", "Devices of the link.",
      Device.State.allCases.map { (labels(("state", $0.rawValue)), "\(node.devices[$0] ?? 0)") })
    family(
      "hearth_held_bytes", "gauge", "Memory that is held for peers.",
      [
        (labels(("of", "all")), "\(node.held.all)"), (labels(("of", "strangers")), "\(node.held.strangers)"),
      ])
    for (name, type, help, value) in process.samples { family(name, type, help, [("", value)]) }
    return text
  }

  private struct Kind {
    let side: String
    let service: String
    let tally: RequestTally
  }

  private static func kinds(_ tallies: RequestTallies) -> [Kind] {
    [Kind(side: "sent", service: "", tally: tallies.sent)]
      + tallies.served.sorted { $0.key < $1.key }.map { Kind(side: "served", service: $0.key, tally: $0.value) }
  }

  private static func histogram(_ kinds: [Kind]) -> String {
    let name = "hearth_request_duration_seconds"
    var text = "# HELP \(name) From the request to the end of its answer.\n# TYPE \(name) histogram\n"
    for kind in kinds {
      let common = [("side", kind.side), ("service", kind.service)]
      var count: UInt64 = 0
      for (index, ended) in kind.tally.byDuration.enumerated() {
        count += ended
        let bound = index < RequestTally.bounds.count ? "\(RequestTally.bounds[index])" : "+Inf"
        text += "\(name)_bucket\(labels(common + [("le", bound)])) \(count)\n"
      }
      text += "\(name)_sum\(labels(common)) \(kind.tally.seconds)\n\(name)_count\(labels(common)) \(count)\n"
    }
    return text
  }

  private static func labels(_ labels: (String, String)...) -> String { self.labels(labels) }

  private static func labels(_ labels: [(String, String)]) -> String {
    "{" + labels.map { "\($0)=\"\(escape($1))\"" }.joined(separator: ",") + "}"
  }

  private static func escape(_ value: String) -> String {
    value.reduce(into: "") { text, character in
      switch character {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n", "\r\n": text += "\\n"
      default: text.append(character)
      }
    }
  }
}
