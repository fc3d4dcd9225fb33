/// The TXT record of a `_presence._tcp` instance (XEP-0174 §3.1): key=value pairs, in order.
package struct TXTRecord: Sendable, Hashable {
  package struct Pair: Sendable, Hashable {
    package var key: String
    package var value: String
  }
  package private(set) var pairs: [Pair]

  package init(_ pairs: KeyValuePairs<String, String?> = [:]) {
    self.pairs = pairs.compactMap { key, value in value.map { Pair(key: key, value: $0) } }
  }
}
