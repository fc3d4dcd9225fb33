/// What an answer of our own is written in, by what the client accepts (RFC 9110 §12.5.1).
package enum Representation: Hashable, Sendable {
  case html
  case json
  /// For whoever has no preference, as curl.
  case text

  /// - Parameter accept: the values of the `Accept` fields. Of those that weigh the same, the first counts.
  package static func preferred(_ accept: [String]) -> Representation {
    var best = (representation: Representation.text, weight: 0.0)
    for range in accept.flatMap({ $0.split(separator: ",") }) {
      let parts = range.split(separator: ";").map { $0.trimmingSpace.lowercased() }
      guard let name = parts.first, let representation = named(name) else { continue }
      let weight = parts.dropFirst().compactMap(weight).first ?? 1
      if weight > best.weight { best = (representation, weight) }
    }
    return best.representation
  }

  private static func named(_ range: String) -> Representation? {
    switch range {
    case "text/html", "application/xhtml+xml": .html
    case "application/json", "application/problem+json": .json
    case "text/plain": .text
    default: nil
    }
  }

  private static func weight(_ parameter: String) -> Double? {
    parameter.hasPrefix("q=") ? Double(parameter.dropFirst(2)) ?? 0 : nil
  }
}
