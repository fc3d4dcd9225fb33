/* A chat program on the link, as people have them: libpurple's Bonjour protocol (XEP-0174) without a window.
 *
 *   purple-peer FOLDER NAME@HOST      FOLDER is made, for libpurple's own files; HOST is the host's mDNS name
 *
 * Reads a command a line: "say BUDDY TEXT", "status ID" (available, away), "quit"; the end of input quits as well.
 * Prints what happens, a line each: "ready", "appeared BUDDY", "vanished BUDDY", "said BUDDY TEXT", "heard BUDDY TEXT",
 * "failed TEXT".
 *
 *   cc -o purple-peer purple-peer.c $(pkg-config --cflags --libs purple)
 */
#include <glib.h>
#include <purple.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static GMainLoop *loop;
static PurpleAccount *account;
static int handle;

static void tell(const char *what, const char *who, const char *text) {
  printf("%s%s%s%s%s\n", what, who ? " " : "", who ? who : "", text ? " " : "", text ? text : "");
  fflush(stdout);
}

/* ---- libpurple's inputs on GLib's loop ---- */

struct input {
  PurpleInputFunction function;
  gpointer data;
};

static gboolean input_ready(GIOChannel *channel, GIOCondition condition, gpointer data) {
  struct input *input = data;
  int ready = 0;
  if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR)) ready |= PURPLE_INPUT_READ;
  if (condition & (G_IO_OUT | G_IO_ERR | G_IO_NVAL)) ready |= PURPLE_INPUT_WRITE;
  input->function(input->data, g_io_channel_unix_get_fd(channel), ready);
  return TRUE;
}

static guint input_add(int descriptor, PurpleInputCondition wanted, PurpleInputFunction function, gpointer data) {
  struct input *input = g_new(struct input, 1);
  input->function = function;
  input->data = data;
  GIOCondition condition = G_IO_HUP | G_IO_ERR;
  if (wanted & PURPLE_INPUT_READ) condition |= G_IO_IN;
  if (wanted & PURPLE_INPUT_WRITE) condition |= G_IO_OUT | G_IO_NVAL;
  GIOChannel *channel = g_io_channel_unix_new(descriptor);
  guint id = g_io_add_watch_full(channel, G_PRIORITY_DEFAULT, condition, input_ready, input, g_free);
  g_io_channel_unref(channel);
  return id;
}

static PurpleEventLoopUiOps event_loop = {
    .timeout_add = g_timeout_add,
    .timeout_remove = g_source_remove,
    .input_add = input_add,
    .input_remove = g_source_remove,
    .timeout_add_seconds = g_timeout_add_seconds,
};

/* ---- what happens ---- */

static void signed_on(PurpleConnection *connection) { tell("ready", NULL, NULL); }

static void connection_failed(PurpleConnection *connection, PurpleConnectionError error, const char *text) {
  tell("failed", NULL, text);
}

static void appeared(PurpleBuddy *buddy) { tell("appeared", purple_buddy_get_name(buddy), NULL); }

static void vanished(PurpleBuddy *buddy) { tell("vanished", purple_buddy_get_name(buddy), NULL); }

static void heard(PurpleAccount *to, char *who, char *text) { tell("heard", who, text); }

static void written(PurpleAccount *in, const char *who, char *text, PurpleConversation *conversation,
                    PurpleMessageFlags flags) {
  if (flags & PURPLE_MESSAGE_ERROR) tell("failed", NULL, text);
  else if (flags & PURPLE_MESSAGE_SEND) tell("said", who, text);
}

static void listen_to(void *instance, const char *signal, void (*function)()) {
  purple_signal_connect(instance, signal, &handle, PURPLE_CALLBACK(function), NULL);
}

/* ---- what it is told to do ---- */

static void say(const char *who, const char *text) {
  PurpleConversation *conversation = purple_find_conversation_with_account(PURPLE_CONV_TYPE_IM, who, account);
  if (!conversation) conversation = purple_conversation_new(PURPLE_CONV_TYPE_IM, account, who);
  purple_conv_im_send(PURPLE_CONV_IM(conversation), text);
}

static gboolean commanded(GIOChannel *channel, GIOCondition condition, gpointer data) {
  char *line = NULL;
  if (g_io_channel_read_line(channel, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
    g_main_loop_quit(loop);
    return FALSE;
  }
  char **words = g_strsplit(g_strchomp(line), " ", 3);
  guint count = g_strv_length(words);
  if (count == 3 && !strcmp(words[0], "say")) say(words[1], words[2]);
  else if (count == 2 && !strcmp(words[0], "status")) purple_account_set_status(account, words[1], TRUE, NULL);
  else g_main_loop_quit(loop);
  g_strfreev(words);
  g_free(line);
  return TRUE;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: purple-peer FOLDER NAME@HOST\n");
    return 64;
  }
  signal(SIGPIPE, SIG_IGN);
  mkdir(arguments[1], 0700);
  loop = g_main_loop_new(NULL, FALSE);
  purple_util_set_user_dir(arguments[1]);
  purple_eventloop_set_ui_ops(&event_loop);
  if (!purple_core_init("purple-peer") || !purple_find_prpl("prpl-bonjour")) {
    tell("failed", NULL, "this libpurple has no Bonjour");
    return 77;
  }
  purple_set_blist(purple_blist_new());
  purple_prefs_load();
  account = purple_account_new(arguments[2], "prpl-bonjour");
  purple_accounts_add(account);

  listen_to(purple_connections_get_handle(), "signed-on", signed_on);
  listen_to(purple_connections_get_handle(), "connection-error", connection_failed);
  listen_to(purple_blist_get_handle(), "buddy-signed-on", appeared);
  listen_to(purple_blist_get_handle(), "buddy-removed", vanished);
  listen_to(purple_conversations_get_handle(), "received-im-msg", heard);
  listen_to(purple_conversations_get_handle(), "wrote-im-msg", written);
  purple_account_set_enabled(account, "purple-peer", TRUE);
  purple_savedstatus_activate(purple_savedstatus_new(NULL, PURPLE_STATUS_AVAILABLE));

  GIOChannel *commands = g_io_channel_unix_new(0);
  g_io_add_watch(commands, G_IO_IN | G_IO_HUP, commanded, NULL);
  g_main_loop_run(loop);
  purple_account_set_enabled(account, "purple-peer", FALSE);
  purple_core_quit();
  return 0;
}
