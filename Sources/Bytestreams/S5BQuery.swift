package import XML
package import XMPP

/// What is said of a connection beside the stream in the clear, for a file that was offered by XEP-0095 (XEP-0065 §5.3). The
/// addresses are those of a transport.
extension S5BTransport {
  /// Reads `<query/>` of an IQ of type `set`. Streamhosts come in the order in which they are to be tried; those without an IP address
  /// and a port, and those beyond `BytestreamLimits.candidates`, are left out.
  package init(query: Element) throws(StanzaError) {
    guard query["mode"] ?? "tcp" == "tcp" else { throw refusal(.featureNotImplemented, "mode must be tcp") }
    self.init(
      sid: try SIPub.identifier("sid", of: query),
      destination: query["dstaddr"].flatMap { $0.utf8.count == SOCKS5.destinationLength ? $0 : nil },
      candidates: Self.streamhosts(in: query))
  }

  /// Those of `<query/>`, also where a proxy says where it is (XEP-0065 §4).
  package static func streamhosts(in query: Element) -> [S5BCandidate] {
    let hosts = query.elements.lazy.filter { $0.is("streamhost", Namespace.bytestreams) }.compactMap { host in
      S5BCandidate(streamhost: host)
    }
    return Array(hosts.prefix(BytestreamLimits.candidates))
  }

  package var query: Element {
    Element(
      "query", namespace: Namespace.bytestreams, ["mode": "tcp", "sid": sid],
      candidates.map {
        Element("streamhost", namespace: Namespace.bytestreams, ["host": $0.host, "jid": $0.jid, "port": "\($0.port)"])
      })
  }

  /// The answer: this one is connected to.
  package func used(_ jid: String) -> Element {
    let used = Element("streamhost-used", namespace: Namespace.bytestreams, ["jid": jid])
    return Element("query", namespace: Namespace.bytestreams, ["sid": sid], [used])
  }

  /// Which one the answer says that it has connected to; nil for any other element.
  package static func used(in answer: Element?) -> String? {
    answer?.first("streamhost-used", namespace: Namespace.bytestreams)?["jid"]
  }

  /// The answer where none can be connected to.
  package static let unreachable = StanzaError(.itemNotFound, "None of these addresses can be connected to from here.")
}

extension S5BCandidate {
  fileprivate init?(streamhost: Element) {
    guard let jid = streamhost["jid"], jid.utf8.count <= BytestreamLimits.identifierBytes,
      let host = streamhost["host"],
      host.utf8.count <= BytestreamLimits.identifierBytes, let port = streamhost["port"].flatMap({ UInt16($0) }),
      port != 0
    else { return nil }
    self.init(id: jid, host: host, port: Int(port), jid: jid, priority: 0)
  }
}
