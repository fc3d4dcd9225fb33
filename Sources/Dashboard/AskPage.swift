import Codecs
import FoundationEssentials
import Front
import HTTPEdge
import HTTPTypes
import Mesh
import Trust
import XMPP

/// The page of the dashboard about friendship with one device's node: asks for it, and shows what came of that.
struct AskPage {
  let front: FrontAddress
  let device: Device
  let friendship: FriendshipState
  /// This node's id.
  let own: NodeID
  /// Since when the node of a friend does not list this one any more.
  var renounced: Date?
  /// When the other side said no.
  let declined: Date?
  let mayChange: Bool

  func response() -> Response {
    let node = device.node.map {
      "<p class=\"note\">It is announced as the node <b>\($0.short)</b>: <code>\($0)</code>. Compare that with what "
        + "<code>hearth id</code> prints there.</p>"
    }
    let parts = [node ?? "", state, back]
    var page = Page(
      status: .ok, title: "Friendship with \(device.jid)", body: parts.filter { !$0.isEmpty }.joined(separator: "\n"))
    page.hasForms = true
    switch friendship {
    case .asked, .comparing:
      page.refreshWithoutScript = DashboardLimits.refresh
      page.script = .inline(RenewalScript.text)
    default: break
    }
    return page.response()
  }

  private var jid: String { "<b><bdi>\(HTML.escaped(device.jid.text))</bdi></b>" }
  private var open: String { "<a href=\"\(HTML.escaped(front.url(of: device.jid)))\">Open \(jid)</a>" }
  private var back: String { "<p class=\"note\"><a href=\"/\">All devices</a></p>" }

  private var state: String {
    switch friendship {
    case .own: "<p>\(jid) is a device of this machine. \(open)</p>"
    case .friend:
      """
      <p>The node of \(jid) is a friend of yours. \(open)</p>
      <p>\(renounced.map { "It does not list you as a friend any more, as came out on \(Page.time($0)): its owner has removed you, or lost their friends." } ?? "If it does not let you in, its owner has not opened this service to you, or has removed you from their friends.")</p>
      \(forms("<button>Ask again</button>"))
      """
    case .asked(let asked):
      """
      <p>You asked for friendship on \(Page.time(asked.since)). Its owner has not answered yet.</p>
      <p>There, the command is <code>\(Command.accept(own))</code>. Your id is <code>\(own)</code>.</p>
      \(forms("<button>Ask again</button>"))\(withdrawal(asked))
      """
    case .comparing: "<p>Digits are being compared. <a href=\"/#pairing\">Look at them</a></p>"
    case .asks: "<p>Its node asked for your friendship. <a href=\"/\">Answer it</a></p>"
    case .stranger: stranger
    case .plaintext: "<p>\(jid) shows no key, so nobody can know who it is, and it cannot be a friend.</p>"
    case .changed, .mismatch:
      NextSteps(friendship, of: device.jid)?.html(nil) ?? ""
    case .blocked(let id):
      """
      <p>You have blocked its node.</p>
      \(id.map { "<p class=\"note\">In a terminal: <code>\(Command.unblock($0))</code></p>" } ?? "")
      """
    }
  }

  private var stranger: String {
    let no = declined.map {
      "<p><b>It said no</b> on \(Page.time($0)): it takes no requests, or its owner refused. "
        + "Talk to its owner before you ask again.</p>\n"
    }
    let compare = HTML.escaped(DashboardRoute.befriend(device.jid).path)
    return (no ?? "") + """
      <p>You are not friends. Friends get into each other's services, as far as their owners open them to friends.</p>
      <p>Ask its owner, who answers when they see it. Or compare digits, where somebody is at the other side now: that \
      shows that nobody is between the two of you.</p>
      \(forms(PageForms.nameField() + "<button>Ask its owner</button><button formaction=\"\(compare)\">Compare digits</button>"))
      """
  }

  private func withdrawal(_ asked: AskedNode) -> String {
    mayChange ? PageForms.form(.withdraw(asked.id), "<button>Withdraw it</button>") : ""
  }

  private func forms(_ inside: String) -> String {
    guard mayChange else {
      return """
        <p>Only \(DashboardCaller.whoMay) may ask, here or in a terminal: \
        <code>\(HTML.escaped(Command.request(device.jid)))</code></p>
        """
    }
    let node = device.node.map { "<input type=\"hidden\" name=\"node\" value=\"\($0)\">" } ?? ""
    return PageForms.form(.ask(device.jid), node + inside)
  }
}
