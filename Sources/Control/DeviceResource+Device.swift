package import FoundationEssentials
import Front
import LinkLocal
package import Mesh
import Trust
import XMPP

extension DeviceResource {
  /// `frontPort` is nil where no front runs: then there is nothing for a browser to open.
  package init(_ device: Device, frontPort: Int?, health: HealthReport? = nil, renounced: Date? = nil) {
    self.init(
      jid: device.jid.text, name: device.name, state: State(device.state), http: device.http,
      status: device.status, message: device.message,
      addresses: device.state == .gone
        ? [] : device.endpoints.map { .init(address: $0.address, port: $0.port, interface: $0.interface.name) },
      via: device.server ?? Self.onLink, seen: device.seen,
      url: device.http == false ? nil : frontPort.map { FrontAddress(port: $0).url(of: device.jid) },
      trust: Trust(
        word: device.standing.word, node: device.node?.description, petname: device.petname?.text,
        problem: device.standing.refusal?.detail, renounced: renounced),
      encrypted: device.isEncrypted, health: health.map(HealthResource.init))
  }
}

extension DeviceResource.State {
  fileprivate init(_ state: Device.State) {
    switch state {
    case .online: self = .online
    case .away: self = .away
    case .gone: self = .gone
    }
  }
}
