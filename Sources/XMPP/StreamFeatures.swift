package import XML

/// What a peer offers on a stream (RFC 6120 §4.3.2). Features that are not listed here are ignored.
package struct StreamFeatures: Sendable, Hashable {
  package enum StartTLS: Sendable, Hashable { case none, offered, required }

  package var startTLS: StartTLS
  /// SASL mechanisms, the preferred first.
  package var mechanisms: [String]
  /// What the peer is, told without being asked (XEP-0174 §10). It may be a lie; `verification()` must agree with what
  /// was announced before it is kept.
  package var info: DiscoInfo?
  package var limits: StreamLimits?

  package init(
    startTLS: StartTLS = .none, mechanisms: [String] = [], info: DiscoInfo? = nil, limits: StreamLimits? = nil
  ) {
    self.startTLS = startTLS
    self.mechanisms = mechanisms
    self.info = info
    self.limits = limits
  }

  package init(_ element: Element) {
    let tls = element.first("starttls", namespace: Namespace.tls)
    let mechanisms = element.first("mechanisms", namespace: Namespace.sasl)
    self.init(
      startTLS: tls.map { $0.first("required") == nil ? .offered : .required } ?? .none,
      mechanisms: mechanisms.map { $0.elements.filter { $0.name == "mechanism" }.map(\.text) } ?? [],
      info: element.first("query", namespace: Namespace.discoInfo).flatMap(DiscoInfo.init),
      limits: element.first("limits", namespace: Namespace.streamLimits).map(StreamLimits.init))
  }

  package var element: Element {
    var features: [Element] = []
    if startTLS != .none {
      let required = startTLS == .required ? [Element("required", namespace: Namespace.tls)] : []
      features.append(Element("starttls", namespace: Namespace.tls, [:], required))
    }
    if !mechanisms.isEmpty {
      let list = mechanisms.map { Element("mechanism", namespace: Namespace.sasl, text: $0) }
      features.append(Element("mechanisms", namespace: Namespace.sasl, [:], list))
    }
    if let info { features.append(info.query(node: info.node)) }
    if let limits { features.append(limits.element) }
    return Element("features", namespace: Namespace.streams, [:], features)
  }

  /// Whether the peer is a Hearth node, so that extensions of ours may be used.
  package var isHearth: Bool { info?.features.contains(Namespace.hearth) ?? false }
}

/// What a peer accepts on a stream (XEP-0478); nil where it does not say.
package struct StreamLimits: Sendable, Hashable {
  /// Bytes of a first-level element.
  package var maxBytes: Int?
  /// Seconds without traffic after which it may end the stream.
  package var idleSeconds: Int?

  package init(maxBytes: Int? = nil, idleSeconds: Int? = nil) {
    self.maxBytes = maxBytes
    self.idleSeconds = idleSeconds
  }

  /// Values that are no positive integers count as unsaid.
  package init(_ element: Element) {
    func number(_ name: String) -> Int? {
      element.first(name, namespace: Namespace.streamLimits).flatMap { Int($0.text) }.flatMap { $0 > 0 ? $0 : nil }
    }
    self.init(maxBytes: number("max-bytes"), idleSeconds: number("idle-seconds"))
  }

  package var element: Element {
    let values = [("max-bytes", maxBytes), ("idle-seconds", idleSeconds)]
    return Element(
      "limits", namespace: Namespace.streamLimits, [:],
      values.compactMap { name, value in
        value.map { Element(name, namespace: Namespace.streamLimits, text: String($0)) }
      })
  }
}
