import Codecs
import FoundationEssentials
import Mesh
import Trust
import XMPP

/// What is wrong, a line each; nothing where nothing is.
extension Home {
  var problems: PagePart {
    let items = [deafness, ownName].compactMap { $0 } + status.services.flatMap(problems) + devices.compactMap(changed)
    return PagePart(id: "problems", items: items)
  }

  private var deafness: PagePart.Item? {
    status.discoveryProblem.map {
      PagePart.Item(
        "deaf", classes: "bad", news: "Nobody is heard of at the moment",
        """
        Nobody is heard of at the moment, and what is listed may have changed: \(HTML.escaped($0)). \
        <code>hearth doctor</code> finds out more.
        """)
    }
  }

  private var ownName: PagePart.Item? {
    guard status.jid != status.wanted else { return nil }
    return PagePart.Item(
      "renamed",
      """
      Somebody else on this network is called <bdi>\(HTML.escaped(status.wanted.text))</bdi>, so this computer is \
      <bdi>\(HTML.escaped(status.jid.text))</bdi> for now.
      """)
  }

  private func problems(_ service: NodeStatus.Served) -> [PagePart.Item] {
    let (name, id) = ("<b><bdi>\(HTML.escaped(service.name))</bdi></b>", Self.elementID(of: service))
    var items: [PagePart.Item] = []
    if let problem = service.problem {
      items.append(PagePart.Item("\(id)-hidden", "\(name) is not announced: \(HTML.escaped(problem))."))
    } else if let jid = service.jid, let wanted = service.wanted, jid != wanted {
      items.append(
        PagePart.Item(
          "\(id)-renamed",
          "Somebody else has the name of \(name): it is <bdi>\(HTML.escaped(jid.text))</bdi> for now."))
    }
    if case .down(let reason) = service.health.health {
      let why = book == nil ? "" : ": \(HTML.escaped(reason))"
      items.append(
        PagePart.Item(
          "\(id)-down", news: "The app of \(service.name) does not answer",
          "The app of \(name) does not answer\(why), since \(Page.time(service.health.since))."))
    }
    return items
  }

  /// Both ids, and what to do.
  private func changed(_ device: Device) -> PagePart.Item? {
    let (expected, seen): (String, NodeID?)
    switch device.standing {
    case .changed(let known, let shown): (expected, seen) = (known.description, shown)
    case .mismatch(let announced, let shown): (expected, seen) = (announced, shown)
    case .self, .friend, .stranger, .plaintext, .account, .blocked: return nil
    }
    let ask = HTML.escaped(DashboardRoute.ask(device.jid).path)
    return PagePart.Item(
      Self.elementID(device.jid) + "-changed", classes: "bad", news: "\(device.jid) shows another key",
      """
      CHANGED: <bdi>\(HTML.escaped(device.jid.text))</bdi> shows another key than it should. Nothing is sent to it. \
      <a href="\(ask)">What to do</a>
      <dl class="ids"><div><dt>expected</dt><dd><code>\(HTML.escaped(expected))</code></dd></div>\
      <div><dt>seen</dt><dd><code>\(seen?.description ?? "none")</code></dd></div></dl>
      """)
  }
}
