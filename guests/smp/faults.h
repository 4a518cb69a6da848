#ifndef FAULTS_H
#define FAULTS_H

void faults_install(void);
void faults_check(void);

#endif
