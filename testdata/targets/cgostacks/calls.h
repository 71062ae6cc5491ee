void c_outer(void);
void c_calls_back(void);
void c_starts_thread(void);
