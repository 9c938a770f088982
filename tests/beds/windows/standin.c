/* A Windows service in place of pbxctrl.exe: it writes its words into its directory and runs until it is stopped. */
#include <stdio.h>
#include <string.h>
#include <windows.h>

static SERVICE_STATUS_HANDLE handle;
static HANDLE ended;
static int count;
static char **words;

static void say(DWORD state) {
    SERVICE_STATUS status = {SERVICE_WIN32_OWN_PROCESS, state, SERVICE_ACCEPT_STOP, 0, 0, 0, 0};
    SetServiceStatus(handle, &status);
}

static DWORD WINAPI control(DWORD code, DWORD type, LPVOID event, LPVOID context) {
    if (code == SERVICE_CONTROL_STOP) SetEvent(ended);
    return NO_ERROR;
}

static void WINAPI serve(DWORD argc, char **argv) {
    char path[MAX_PATH];
    handle = RegisterServiceCtrlHandlerExA("", control, NULL);
    for (int i = 1; i + 1 < count; i++)
        if (!strcmp(words[i], "--dir")) snprintf(path, sizeof path, "%s\\words.txt", words[i + 1]);
    FILE *file = fopen(path, "w");
    for (int i = 0; file && i < count; i++) fprintf(file, "%s\n", words[i]);
    if (file) fclose(file);
    say(SERVICE_RUNNING);
    WaitForSingleObject(ended, INFINITE);
    say(SERVICE_STOPPED);
}

int main(int argc, char **argv) {
    SERVICE_TABLE_ENTRYA table[] = {{"", serve}, {NULL, NULL}};
    count = argc;
    words = argv;
    ended = CreateEventA(NULL, TRUE, FALSE, NULL);
    return !StartServiceCtrlDispatcherA(table);
}
