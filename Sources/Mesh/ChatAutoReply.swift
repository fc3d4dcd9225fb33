import Streams
import XML
import XMPP

/// Words with people: what a chat program is told that writes to this node (XEP-0174 §8).
enum ChatAutoReply {
  /// Who we are, and what there is; nil where nothing was said.
  static func reply(to stanza: Stanza, at node: JID, offering services: [HostedService]) -> Stanza? {
    guard stanza.kind == .message, stanza.type != "error", let body = stanza.first("body", Namespace.client),
      !body.text.isEmpty
    else { return nil }
    let names = services.map { service in service.title.map { "\($0) (\(service.name))" } ?? service.name }
    let offer = names.isEmpty ? "It offers nothing." : "It offers: \(names.joined(separator: ", "))."
    let text =
      "This is \(node), a node of Hearth. Nobody reads messages here: it carries web pages of devices. \(offer)"
    var reply = Stanza(.message, type: stanza.type, [Element("body", namespace: Namespace.client, text: text)])
    reply.from = stanza.to
    reply.to = stanza.from
    return reply
  }
}
