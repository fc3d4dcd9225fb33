import Codecs
import FoundationEssentials
import Trust

/// What the forms of the dashboard's pages are made of. They need no script.
enum PageForms {
  static func form(_ route: DashboardRoute, _ inside: String) -> String {
    "<form method=\"post\" action=\"\(HTML.escaped(route.path))\">\(inside)</form>"
  }

  /// Shown on a click: what is done at once takes two, at places that no other page can choose both of.
  static func folded(_ summary: String, for what: String, id: String, _ inside: String) -> String {
    """
    <details id="\(id)"><summary>\(summary)<span class="unseen"> \(HTML.escaped(what))</span></summary>\(inside)</details>
    """
  }

  static func nameField() -> String { nameField(value: nil) }

  /// To be typed, so that no click at a place of somebody else's choice makes a friend.
  static func nameField(value: String?) -> String {
    let value = value.map { " value=\"\(HTML.escaped($0))\"" } ?? ""
    return """
      <label>You call it <input name="petname" required maxlength="\(TrustLimits.petnameBytes)"\(value) \
      pattern="[\\p{L}\\p{Nd}][\\p{L}\\p{M}\\p{Nd}._\\-]*" placeholder="kitchen-pi" title="letters, digits, hyphens, dots, underscores" \
      autocomplete="off" autocapitalize="off" spellcheck="false"></label>
      """
  }

  private static func field(_ label: String, _ name: String, _ attributes: String) -> String {
    """
    <label>\(label) <input name="\(name)" autocomplete="off" autocapitalize="off" spellcheck="false" \(attributes)></label>
    """
  }

  static func serve(_ friends: [Friend]) -> String {
    let names = friends.map { friend in
      let name = HTML.escaped(friend.petname.text)
      return "<option value=\"only \(name)\">only \(name)</option>"
    }
    return form(
      .serve,
      """
      \(field("Name", "name", "required maxlength=\"60\" placeholder=\"photos\" title=\"letters, digits, hyphens\""))\
      \(field("What", "target", "required placeholder=\"3000, or /srv/photos\" title=\"the app's port or address, or a folder\""))\
      \(field("Title, for people", "title", "maxlength=\"60\" placeholder=\"Our photos\""))\
      <label>For <select name="access"><option value="friends">friends</option>\
      <option value="public">everyone on this network</option>\(names.joined())</select></label>\
      <button>Serve it</button>
      <p class="note">What: the port or the address of an app, or the path of a folder on this computer.</p>
      """)
  }

  static var invite: String {
    form(
      .invite,
      """
      <p class="note">Gives a line that makes a friend of whoever uses it, once, within ten minutes.</p>\
      \(nameField())<button>Invite</button>
      """)
  }

  static var join: String {
    form(
      .join,
      """
      \(field("The line of an invite", "line", "required maxlength=\"\(TrustLimits.lineBytes)\" placeholder=\"httpx://…/invite/…\""))\
      \(nameField())<button>Join</button>
      """)
  }
}
