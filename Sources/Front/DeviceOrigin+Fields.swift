import Codecs
package import HTTPTypes

/// What changes in a head between a browser and a device, beside what ends at every hop.
extension DeviceOrigin {
  /// The device hears of itself by its own address, and what the browser calls it.
  package func adaptRequest(_ fields: inout HTTPFields) {
    fields.mapReferencesOfRequest(forDevice)
    fields[.forwardedHost] = String(Substring(text.utf8.dropFirst("http://".utf8.count)))
    fields[.forwardedProto] = "http"
  }

  /// Translates addresses, drops what reaches beyond this origin, and adds what protects it where the device is silent.
  ///
  /// - Parameter isTrusted: the device is the owner's or a friend's.
  package func adaptResponse(_ fields: inout HTTPFields, isTrusted: Bool) {
    // Most responses have none of these.
    if fields.index(in: Self.changed) != nil { change(&fields, isTrusted) }
    // Framing by other sites is clickjacking; paths of a device are nobody else's business.
    if !fields.has(.xFrameOptions) { fields.append(Self.sameOriginFrames) }
    if !fields.has(.referrerPolicy) { fields.append(Self.sameOriginReferrers) }
    // A further policy only ever narrows. Pages from loopback may reach all of loopback and the link unasked; those of a
    // stranger's device shall not, as if they came from the Internet. It also keeps a page from its own WebSockets.
    if !isTrusted { fields.append(Self.publicAddress) }
  }

  private func change(_ fields: inout HTTPFields, _ isTrusted: Bool) {
    fields.removeAll { Self.dropped.contains($0.name) || $0.name == .clearSiteData && !isTrusted }
    fields.mapReferencesOfResponse(forBrowser)
    for index in fields.indices where fields[index].name == .setCookie {
      fields.mapValue(at: index, Cookie.withoutDomain)
    }
  }

  /// They speak of a host for months, over all its ports: `localhost` and its names are not the device's.
  private static let dropped = FieldNameSet(droppedNames)
  private static let changed = FieldNameSet(
    droppedNames + ["clear-site-data", "location", "content-location", "refresh", "link", "destination", "set-cookie"])
  private static let droppedNames = ["strict-transport-security", "alt-svc"]
  private static let sameOriginFrames = HTTPField(name: .xFrameOptions, value: "SAMEORIGIN")
  private static let sameOriginReferrers = HTTPField(name: .referrerPolicy, value: "same-origin")
  private static let publicAddress = HTTPField(name: .contentSecurityPolicy, value: "treat-as-public-address")
}
