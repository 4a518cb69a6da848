#ifndef USER_H
#define USER_H

void user_check(void);

#endif
