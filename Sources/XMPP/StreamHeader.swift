package import NIOCore
package import XML

/// The start tag of a stream (RFC 6120 §4.7, XEP-0174 §6), as the other side wrote it.
package struct StreamHeader: Sendable, Hashable {
  /// Of XMPP, not of XML (RFC 6120 §4.7.5). A peer without one speaks XMPP from before 1.0 and knows no features.
  package struct Version: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let major: Int
    package let minor: Int

    package init(major: Int, minor: Int) {
      self.major = major
      self.minor = minor
    }

    /// `1.0`, and also `1`, as some peers write it.
    package init?(_ text: String) {
      let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt16($0) }
      guard parts.count <= 2, let major = parts[0], let minor = parts.count == 2 ? parts[1] : 0 else { return nil }
      self.init(major: Int(major), minor: Int(minor))
    }

    /// The one with features, and ours.
    package static let xmpp1 = Version(major: 1, minor: 0)

    package static func < (a: Version, b: Version) -> Bool { (a.major, a.minor) < (b.major, b.minor) }
    package var description: String { "\(major).\(minor)" }
  }

  /// nil where it is missing, empty or no address.
  package var from: JID?
  /// nil where it is missing, empty or no address.
  package var to: JID?
  package var id: String?
  /// nil where it is missing or no version.
  package var version: Version?

  package init(from: JID? = nil, to: JID? = nil, id: String? = nil, version: Version? = .xmpp1) {
    self.from = from
    self.to = to
    self.id = id
    self.version = version
  }

  /// Throws `bad-format` where the root is no stream, `invalid-namespace` where it is another's.
  package init(_ root: Element) throws(StreamError) {
    guard root.namespace == Namespace.streams else {
      throw StreamError(.invalidNamespace, "a stream's namespace is \(Namespace.streams)")
    }
    guard root.name == "stream" else { throw StreamError(.badFormat, "the root element is not <stream>") }
    self.init(
      from: root["from"].flatMap { JID($0) }, to: root["to"].flatMap { JID($0) }, id: root["id"],
      version: root["version"].flatMap(Version.init))
  }
}

extension ByteBuffer {
  /// With the XML declaration; in the form that peers compare literally: prefix `stream`, default namespace
  /// `jabber:client`.
  package mutating func write(_ header: StreamHeader) {
    writeStaticString("<?xml version='1.0'?><stream:stream")
    write(attribute: "xmlns", Namespace.client)
    write(attribute: "xmlns:stream", Namespace.streams)
    if let from = header.from { write(attribute: "from", from.text) }
    if let to = header.to { write(attribute: "to", to.text) }
    if let id = header.id { write(attribute: "id", id) }
    if let version = header.version { write(attribute: "version", version.description) }
    writeStaticString(">")
  }

  /// The end of a stream.
  package mutating func writeStreamEnd() {
    writeStaticString("</stream:stream>")
  }
}
